/** Cohere's chat, version 2. @see https://docs.cohere.com/reference/chat */
import type { Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments, frame } from '../upstream.ts';

interface Message {
  readonly role: string;
  readonly content?: string | JsonObject[];
  readonly tool_plan?: string;
  readonly tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  readonly tool_call_id?: string;
}

const FIELDS = new Set(
  'model messages stream max_tokens temperature p k frequency_penalty presence_penalty seed stop_sequences logprobs tools tool_choice strict_tools response_format thinking'.split(
    ' ',
  ),
);
const ROLES = new Set(['system', 'user', 'assistant', 'tool']);

const usage = {
  billed_units: { input_tokens: USAGE.fresh, output_tokens: USAGE.said },
  tokens: { input_tokens: USAGE.fresh + USAGE.cached, output_tokens: USAGE.said + USAGE.thought },
  cached_tokens: USAGE.cached,
};

export const cohere: Dialect = {
  name: 'cohere',
  model: 'command-a-reasoning-08-2025',
  type: 'cohere',
  base: '',

  other({ path, body }) {
    if (path !== '/v2/embed') return undefined;
    const texts = body.texts as string[];
    demand(body.input_type, 'input_type is required');
    return {
      id: 'scripted',
      texts,
      embeddings: { float: texts.map(() => [0.25, -0.5, 1]) },
      meta: { api_version: { version: '2' }, billed_units: { input_tokens: 3 } },
    };
  },

  hear({ path, headers, body }: Asked) {
    demand(path === '/v2/chat', `nothing is at ${path}`);
    demand(headers.get('authorization') === 'Bearer key-of-cohere', 'the key is missing');
    const unknown = Object.keys(body).filter((field) => !FIELDS.has(field));
    demand(unknown.length === 0, `unknown field: ${unknown.join()}`);
    demand(Number(body.temperature ?? 0) <= 1, `temperature is ${String(body.temperature)}`);
    const messages = body.messages as Message[];
    const results = hearMessages(messages);
    const tools = (body.tools ?? []) as { type: string; function: JsonObject }[];
    for (const { type, function: fn } of tools) {
      demand(type === 'function' && /^[\w-]+$/.test(String(fn.name)), 'a tool is no function');
      demand((fn.parameters as JsonObject).type === 'object', 'parameters must be an object');
    }
    const choice = body.tool_choice as string | undefined;
    demand(choice === undefined || ['REQUIRED', 'NONE'].includes(choice), `tool_choice is ${choice}`);
    demand(choice === undefined || tools.length > 0, 'tool_choice is only allowed with tools');
    const format = body.response_format as { type: string; json_schema?: JsonObject } | undefined;
    demand(!format || format.type === 'json_object', `response_format is ${format?.type}`);
    demand(!format || tools.length === 0, 'response_format is not allowed with tools');
    const thinking = (body.thinking ?? {}) as { type?: string; token_budget?: number };
    demand(thinking.token_budget === undefined || thinking.token_budget >= 1, 'token_budget is too small');
    const parts = messages.filter(({ role }) => role === 'user').flatMap(({ content }) => partsOf(content));
    return {
      scene: sceneOf(parts.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks: thinking.type === 'enabled',
      stream: body.stream === true,
      schema: format?.json_schema && Object.keys(format.json_schema.properties as JsonObject),
      must: forcedOf(
        choice === 'REQUIRED',
        tools.map(({ function: { name, parameters } }) => [name, parameters]),
      ),
      pictures: parts.filter(({ type }) => type === 'image_url').map(pictureOf),
      tools: tools.map(({ function: fn }) => String(fn.name)),
    };
  },

  whole(said, turn) {
    const plan = said.calls && said.text !== undefined ? { tool_plan: said.text } : {};
    const text = said.calls || said.text === undefined ? [] : [{ type: 'text', text: said.text }];
    const thought = said.reasoning === undefined ? [] : [{ type: 'thinking', thinking: said.reasoning }];
    const content = [...thought, ...text];
    return {
      id: `scripted-${turn}`,
      message: {
        role: 'assistant',
        ...plan,
        ...(content.length > 0 ? { content } : {}),
        ...(said.calls ? { tool_calls: callsOf(said, turn) } : {}),
      },
      finish_reason: said.calls ? 'TOOL_CALL' : 'COMPLETE',
      usage,
    };
  },

  events(said, turn) {
    const { reasoning, text = '', calls } = said;
    const thought = reasoning === undefined ? [] : contentEvents(0, 'thinking', reasoning);
    const words = calls
      ? fragments(text).map((tool_plan) => event('tool-plan-delta', undefined, { tool_plan }))
      : contentEvents(reasoning === undefined ? 0 : 1, 'text', text);
    const asked = callsOf(said, turn).flatMap(({ id, type, function: { name, arguments: json } }, index) => [
      event('tool-call-start', index, { tool_calls: { id, type, function: { name, arguments: '' } } }),
      ...fragments(json, 5).map((piece) =>
        event('tool-call-delta', index, { tool_calls: { function: { arguments: piece } } }),
      ),
      event('tool-call-end', index, undefined),
    ]);
    const delta = { finish_reason: calls ? 'TOOL_CALL' : 'COMPLETE', usage };
    return [begin(), ...thought, ...words, ...asked, frame({ type: 'message-end', delta }, 'message-end')];
  },

  begun() {
    const delta = { finish_reason: 'ERROR', error: BREAKAGE };
    return {
      head: [begin(), event('content-start', 0, { content: { type: 'text', text: '' } })],
      piece: event('content-delta', 0, { content: { text: PIECE } }),
      broken: frame({ type: 'message-end', delta }, 'message-end'),
    };
  },

  error: (_status, message) => ({ id: 'scripted', message }),
};

/** The messages right after a call must be its results, and results must follow calls. */
function hearMessages(messages: readonly Message[]): string[][] {
  demand(messages?.length > 0, 'messages must not be empty');
  const results: string[][] = [];
  let open: string[] = [];
  for (const { role, content, tool_plan, tool_calls, tool_call_id } of messages) {
    demand(ROLES.has(role), `role ${role} is not known`);
    if (role === 'tool') {
      demand(open.includes(tool_call_id ?? ''), 'a tool message must follow the call that it answers');
      open = open.filter((id) => id !== tool_call_id);
      results.at(-1)!.push(
        partsOf(content)
          .map(({ text }) => text)
          .join(''),
      );
      continue;
    }
    demand(open.length === 0, 'a call has no result right behind it');
    if (tool_calls) {
      demand(role === 'assistant' && tool_calls.length > 0, 'tool_calls are out of place');
      const beside = partsOf(content ?? []);
      demand(
        beside.every(({ type }) => type === 'thinking'),
        'text beside tool_calls belongs into tool_plan',
      );
      for (const { type, function: fn } of tool_calls) {
        demand(type === 'function' && typeof fn.arguments === 'string', 'arguments must be a string');
        JSON.parse(fn.arguments);
      }
      open = tool_calls.map(({ id }) => id);
      results.push([]);
    } else {
      demand(tool_plan === undefined, 'a plan needs tool_calls');
      demand(partsOf(content).length > 0 && content !== '', `content of ${role} is missing`);
    }
  }
  demand(open.length === 0, 'a call has no result');
  return results;
}

function partsOf(content: Message['content']): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
}

function pictureOf({ image_url }: JsonObject): string {
  const { url } = image_url as { url: string };
  const data = /^data:image\/png;base64,(.*)$/.exec(url)?.[1];
  demand(data, `no picture: ${url.slice(0, 50)}`);
  return data;
}

function callsOf({ calls = [] }: Said, turn: number) {
  return calls.map(({ name, input }, at) => ({
    id: `${name}_0${turn}${at}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function begin(): string {
  const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  return frame({ id: 'scripted', type: 'message-start', delta: { message } }, 'message-start');
}

function event(type: string, index: number | undefined, message: JsonObject | undefined): string {
  const at = index === undefined ? {} : { index };
  return frame({ type, ...at, ...(message ? { delta: { message } } : {}) }, type);
}

function contentEvents(index: number, kind: 'text' | 'thinking', words: string): string[] {
  return [
    event('content-start', index, { content: { type: kind, [kind]: '' } }),
    ...fragments(words).map((piece) => event('content-delta', index, { content: { [kind]: piece } })),
    event('content-end', index, undefined),
  ];
}
