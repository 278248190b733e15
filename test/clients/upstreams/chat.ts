/** OpenAI's chat completions. @see https://platform.openai.com/docs/api-reference/chat/create */
import type { Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments, frame } from '../upstream.ts';

interface Message {
  readonly role: string;
  readonly content?: string | JsonObject[] | null;
  readonly tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  readonly tool_call_id?: string;
}

const FIELDS = new Set(
  'model messages stream stream_options tools tool_choice parallel_tool_calls temperature top_p n stop seed max_tokens max_completion_tokens presence_penalty frequency_penalty logit_bias logprobs top_logprobs user response_format reasoning_effort store metadata service_tier verbosity prompt_cache_key safety_identifier'.split(
    ' ',
  ),
);
const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

const usage = {
  prompt_tokens: USAGE.fresh + USAGE.cached,
  completion_tokens: USAGE.said + USAGE.thought,
  total_tokens: USAGE.fresh + USAGE.cached + USAGE.said + USAGE.thought,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
  completion_tokens_details: { reasoning_tokens: USAGE.thought },
};

export const chat: Dialect = {
  name: 'chat',
  model: 'gpt-4.1',
  type: 'openai-compatible',
  base: '/v1',

  other({ path, body }) {
    if (path !== '/v1/embeddings') return undefined;
    const inputs = [body.input].flat();
    const bytes = Buffer.from(new Float32Array([0.25, -0.5, 1]).buffer).toString('base64');
    const embedding = body.encoding_format === 'base64' ? bytes : [0.25, -0.5, 1];
    return {
      object: 'list',
      model: chat.model,
      data: inputs.map((_, index) => ({ object: 'embedding', index, embedding })),
      usage: { prompt_tokens: 3, total_tokens: 3 },
    };
  },

  hear({ path, headers, body }: Asked) {
    demand(path === '/v1/chat/completions', `nothing is at ${path}`);
    demand(headers.get('authorization') === 'Bearer key-of-chat', 'the key is missing');
    const unknown = Object.keys(body).filter((field) => !FIELDS.has(field));
    demand(unknown.length === 0, `Unrecognized request argument supplied: ${unknown.join()}`);
    demand(body.stream_options === undefined || body.stream === true, 'stream_options without stream');
    const messages = body.messages as Message[];
    const results = hearMessages(messages);
    const tools = (body.tools ?? []) as { type: string; function: JsonObject }[];
    for (const { type, function: fn } of tools) {
      demand(type === 'function' && /^[\w-]{1,64}$/.test(String(fn.name)), 'a tool is no function');
    }
    demand(tools.length > 0 || body.tool_choice === undefined, 'tool_choice is only allowed with tools');
    const parts = messages.filter(({ role }) => role === 'user').flatMap(({ content }) => partsOf(content));
    const format = body.response_format as
      { type: string; json_schema: { name?: string; schema: JsonObject } } | undefined;
    demand(format?.type !== 'json_schema' || format.json_schema.name, 'json_schema has no name');
    return {
      scene: sceneOf(parts.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks: body.reasoning_effort !== undefined && body.reasoning_effort !== 'none',
      stream: body.stream === true,
      schema:
        format?.type === 'json_schema'
          ? Object.keys(format.json_schema.schema.properties as JsonObject)
          : undefined,
      must: forcedOf(
        body.tool_choice === 'required' || typeof body.tool_choice === 'object',
        tools.map(({ function: { name, parameters } }) => [name, parameters]),
      ),
      pictures: parts.filter(({ type }) => type === 'image_url').map(pictureOf),
      tools: tools.map(({ function: fn }) => String(fn.name)),
    };
  },

  whole: (said, turn) => ({
    id: `chatcmpl-scripted-${turn}`,
    object: 'chat.completion',
    created: 1_700_000_000,
    model: `${chat.model}-2025`,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.text ?? null,
          refusal: null,
          ...(said.reasoning === undefined ? {} : { reasoning_content: said.reasoning }),
          ...(said.calls ? { tool_calls: callsOf(said, turn) } : {}),
        },
        logprobs: null,
        finish_reason: said.calls ? 'tool_calls' : 'stop',
      },
    ],
    usage,
  }),

  events(said, turn) {
    const thought = fragments(said.reasoning ?? '').map((reasoning_content) => chunk({ reasoning_content }));
    const words = fragments(said.text ?? '').map((content) => chunk({ content }));
    const calls = callsOf(said, turn).flatMap(({ id, type, function: { name, arguments: json } }, index) => [
      chunk({ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] }),
      ...fragments(json, 5).map((piece) =>
        chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ]);
    return [
      ': a comment\n\n',
      chunk({ role: 'assistant', content: '', refusal: null }),
      ...thought,
      ...words,
      ...calls,
      chunk({}, said.calls ? 'tool_calls' : 'stop'),
      frame({ ...shell(), choices: [], usage }),
      'data: [DONE]\n\n',
    ];
  },

  begun: () => ({
    head: [chunk({ role: 'assistant', content: '' })],
    piece: chunk({ content: PIECE }),
    broken: frame({ error: { message: BREAKAGE, type: 'server_error', param: null, code: 'server_error' } }),
  }),

  error: (status, message) => ({
    error: {
      message,
      type: status === 429 ? 'requests' : 'invalid_request_error',
      param: null,
      code: status === 429 ? 'rate_limit_exceeded' : null,
    },
  }),
};

/** The messages right after a call must be its results, and results must follow calls. */
function hearMessages(messages: readonly Message[]): string[][] {
  demand(messages?.length > 0, 'messages is too short');
  const results: string[][] = [];
  let open: string[] = [];
  for (const { role, content, tool_calls, tool_call_id } of messages) {
    demand(ROLES.has(role), `role ${role} is not known`);
    if (role === 'tool') {
      demand(open.includes(tool_call_id ?? ''), "'tool' must follow a message with 'tool_calls'");
      open = open.filter((id) => id !== tool_call_id);
      results.at(-1)!.push(
        partsOf(content)
          .map(({ text }) => text)
          .join(''),
      );
      continue;
    }
    demand(open.length === 0, "'tool_calls' must be followed by tool messages to each 'tool_call_id'");
    if (role === 'assistant' && tool_calls) {
      demand(tool_calls.length > 0, 'tool_calls is too short');
      for (const { type, function: fn } of tool_calls) {
        demand(type === 'function' && typeof fn.arguments === 'string', 'arguments must be a string');
        JSON.parse(fn.arguments);
      }
      open = tool_calls.map(({ id }) => id);
      results.push([]);
    } else demand(typeof content === 'string' || Array.isArray(content), `content of ${role} is missing`);
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
    id: `call_0${turn}${at}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function shell(): JsonObject {
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: chat.model,
  };
}

function chunk(delta: JsonObject, finish_reason: string | null = null): string {
  return frame({
    ...shell(),
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
}
