/** Anthropic's Messages API. @see https://docs.anthropic.com/en/api/messages */
import type { Call, Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments, frame } from '../upstream.ts';
import { Threads } from './threads.ts';

type Block = JsonObject & { type: string };
interface Turn {
  readonly role: string;
  readonly content: string | Block[];
}

const FIELDS = new Set(
  'model messages max_tokens system stream tools tool_choice temperature top_p top_k stop_sequences thinking metadata output_config service_tier cache_control context_management thread'.split(
    ' ',
  ),
);
const usage = {
  input_tokens: USAGE.fresh,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: USAGE.cached,
  output_tokens: USAGE.said + USAGE.thought,
};

const threads = new Threads();

const event = (value: JsonObject & { type: string }) => frame(value, value.type);
const signatureOf = (turn: number) => `signature-of-turn-${turn}`;
const idOf = (turn: number, at: number) => `toolu_0${turn}${at}`;

export const anthropic: Dialect = {
  name: 'anthropic',
  model: 'claude-sonnet-4-5',
  type: 'anthropic',
  base: '',

  other: ({ path, body }) =>
    path.startsWith('/v1/messages/count_tokens') && Array.isArray(body.messages)
      ? { input_tokens: 77 }
      : undefined,

  hear({ path, headers, body: given }: Asked) {
    demand(/^\/v1\/messages(\?|$)/.test(path), `nothing is at ${path}`);
    demand(headers.get('x-api-key') === 'key-of-anthropic', 'the key is missing');
    demand(headers.get('anthropic-version') === '2023-06-01', 'anthropic-version is missing');
    const body = threads.heard(given);
    const unknown = Object.keys(body).filter((field) => !FIELDS.has(field));
    demand(unknown.length === 0, `${unknown.join()}: extra inputs are not permitted`);
    demand(Number.isInteger(body.max_tokens) && Number(body.max_tokens) > 0, 'max_tokens is required');
    const thinking = (body.thinking ?? {}) as { type?: string; budget_tokens?: number };
    const thinks = thinking.type === 'enabled' || thinking.type === 'adaptive';
    if (thinking.type === 'enabled') {
      const budget = thinking.budget_tokens ?? 0;
      demand(budget >= 1_024 && budget < Number(body.max_tokens), `thinking.budget_tokens is ${budget}`);
      demand(body.temperature === undefined || body.temperature === 1, 'thinking forbids temperature');
    }
    const all = body.messages as Turn[];
    const turns = all.filter(({ role }) => role !== 'system');
    const results = hearTurns(turns, thinks);
    const tools = [...((body.tools ?? []) as JsonObject[]), ...all.flatMap(addedTools)];
    for (const tool of tools.filter(({ type }) => type === undefined || type === 'custom')) {
      demand(/^[\w-]{1,128}$/.test(String(tool.name)), `a tool is named ${String(tool.name)}`);
      demand((tool.input_schema as JsonObject)?.type === 'object', 'input_schema must be an object');
    }
    const said = turns.filter(({ role }) => role === 'user').flatMap(({ content }) => blocks(content));
    const pictures = said.filter(({ type }) => type === 'image').map(({ source }) => source as JsonObject);
    demand(
      pictures.every(({ media_type }) => media_type === 'image/png'),
      'media_type is wrong',
    );
    const { format } = (body.output_config ?? {}) as { format?: JsonObject };
    const { type: choice } = (body.tool_choice ?? {}) as { type?: string };
    return {
      scene: sceneOf(said.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks,
      stream: body.stream === true,
      schema: format && Object.keys((format.schema as JsonObject).properties as JsonObject),
      must: forcedOf(
        choice === 'any' || choice === 'tool',
        tools.map(({ name, input_schema }) => [name, input_schema]),
      ),
      pictures: pictures.map(({ data }) => String(data)),
      tools: tools.map(({ name }) => String(name)),
    };
  },

  whole: (said, turn) => ({
    ...opening(turn),
    content: contentOf(said, turn),
    stop_reason: stopOf(said),
    stop_sequence: null,
    usage,
  }),

  events(said, turn) {
    const parts = contentOf(said, turn).flatMap((block, index) => [
      ...blockEvents(block, index),
      event({ type: 'ping' }),
    ]);
    return [
      ...begin(turn),
      ...parts,
      event({
        type: 'message_delta',
        delta: { stop_reason: stopOf(said), stop_sequence: null },
        usage: { output_tokens: usage.output_tokens },
      }),
      event({ type: 'message_stop' }),
    ];
  },

  begun: () => ({
    head: [...begin(0), opened({ type: 'text', text: '' }, 0)],
    piece: delta({ type: 'text_delta', text: PIECE }, 0),
    broken: event({ type: 'error', error: { type: 'overloaded_error', message: BREAKAGE } }),
  }),

  error: (status, message) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', message },
    request_id: 'req_scripted',
  }),
};

/** Tools that the conversation defines, in a beta version. */
function addedTools({ role, content }: Turn): JsonObject[] {
  if (role !== 'system') return [];
  return blocks(content)
    .filter(({ type }) => type === 'tool_addition')
    .map(({ tool }) => (tool as { definition: JsonObject }).definition);
}

/**
 * Roles must alternate, the turn after a call must begin with its result, and thinking must be returned with
 * its signature.
 */
function hearTurns(turns: readonly Turn[], thinks: boolean): string[][] {
  demand(turns.length > 0, 'messages: at least one message is required');
  const results: string[][] = [];
  turns.forEach(({ role, content }, index) => {
    demand(role === (index % 2 === 0 ? 'user' : 'assistant'), `messages.${index}: roles must alternate`);
    const said = blocks(content);
    demand(said.length > 0, `messages.${index}: content must not be empty`);
    demand(
      said.every(({ type, text }) => type !== 'text' || text !== ''),
      `messages.${index}: empty text`,
    );
    const calls = said.filter(({ type }) => type === 'tool_use');
    if (calls.length > 0) {
      const turn = results.length;
      if (thinks) {
        demand(said[0]!.type === 'thinking', `messages.${index}: thinking must come first`);
        demand(said[0]!.signature === signatureOf(turn), `messages.${index}: invalid signature`);
      }
      const answered = blocks(turns[index + 1]?.content ?? []).slice(0, calls.length);
      demand(
        answered.every(({ type }) => type === 'tool_result'),
        'tool_use without tool_result right behind it',
      );
      results.push(calls.map(({ id }) => textOf(answered.find((result) => result.tool_use_id === id))));
    } else if (role === 'user' && said.some(({ type }) => type === 'tool_result')) {
      const before = blocks(turns[index - 1]?.content ?? []).filter(({ type }) => type === 'tool_use');
      const found = said.filter(({ type }) => type === 'tool_result').length;
      demand(found === before.length, `messages.${index}: unexpected tool_result`);
    }
  });
  return results;
}

function textOf(result: Block | undefined): string {
  demand(result, 'tool_use ids were found without tool_result blocks');
  const { content } = result;
  return typeof content === 'string'
    ? content
    : blocks(content as Block[])
        .map(({ text }) => text)
        .join('');
}

function blocks(content: string | Block[]): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function contentOf(said: Said, turn: number): Block[] {
  const content = blocksOf(said, turn);
  threads.answered(String(opening(turn).id), { role: 'assistant', content });
  return content;
}

function blocksOf({ reasoning, text, calls = [] }: Said, turn: number): Block[] {
  const thought = { type: 'thinking', thinking: reasoning, signature: signatureOf(turn) };
  return [
    ...(reasoning === undefined ? [] : [thought]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ name, input }: Call, at) => ({ type: 'tool_use', id: idOf(turn, at), name, input })),
  ];
}

function stopOf({ calls }: Said): string {
  return calls ? 'tool_use' : 'end_turn';
}

function opening(turn: number): JsonObject {
  return { id: `msg_scripted_${turn}`, type: 'message', role: 'assistant', model: anthropic.model };
}

function begin(turn: number): string[] {
  const empty = { content: [], stop_reason: null, stop_sequence: null };
  const message = { ...opening(turn), ...empty, usage: { ...usage, output_tokens: 1 } };
  return [event({ type: 'message_start', message }), event({ type: 'ping' })];
}

function opened(content_block: Block, index: number): string {
  return event({ type: 'content_block_start', index, content_block });
}

function delta(value: Block, index: number): string {
  return event({ type: 'content_block_delta', index, delta: value });
}

function blockEvents(block: Block, index: number): string[] {
  const stop = event({ type: 'content_block_stop', index });
  if (block.type === 'text') {
    const words = fragments(String(block.text)).map((text) => delta({ type: 'text_delta', text }, index));
    return [opened({ type: 'text', text: '' }, index), ...words, stop];
  }
  if (block.type === 'thinking') {
    const words = fragments(String(block.thinking)).map((thinking) =>
      delta({ type: 'thinking_delta', thinking }, index),
    );
    const signed = delta({ type: 'signature_delta', signature: block.signature }, index);
    return [opened({ type: 'thinking', thinking: '', signature: '' }, index), ...words, signed, stop];
  }
  const json = ['', ...fragments(JSON.stringify(block.input), 5)];
  const words = json.map((partial_json) => delta({ type: 'input_json_delta', partial_json }, index));
  return [opened({ ...block, input: {} }, index), ...words, stop];
}
