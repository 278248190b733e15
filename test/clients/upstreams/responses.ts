/** OpenAI's Responses API, without storage. @see https://platform.openai.com/docs/api-reference/responses */
import type { Said } from '../script.ts';
import type { Asked, Dialect, JsonObject } from '../upstream.ts';
import { BREAKAGE, demand, forcedOf, PIECE, sceneOf, USAGE } from '../script.ts';
import { fragments, frame } from '../upstream.ts';

const FIELDS = new Set(
  'model input instructions stream stream_options tools tool_choice parallel_tool_calls temperature top_p max_output_tokens max_tool_calls user text reasoning store include metadata service_tier prompt_cache_key safety_identifier truncation previous_response_id top_logprobs client_metadata'.split(
    ' ',
  ),
);

const usage = {
  input_tokens: USAGE.fresh + USAGE.cached,
  input_tokens_details: { cached_tokens: USAGE.cached },
  output_tokens: USAGE.said + USAGE.thought,
  output_tokens_details: { reasoning_tokens: USAGE.thought },
  total_tokens: USAGE.fresh + USAGE.cached + USAGE.said + USAGE.thought,
};

/** Items of requests with `store`: later requests may refer to them by id. */
const stored = new Map<string, Item>();
let storing = false;

const sealOf = (turn: number) => `sealed-reasoning-of-turn-${turn}`;

export const responses: Dialect = {
  name: 'responses',
  model: 'gpt-5-mini',
  type: 'perplexity',
  base: '/v1',

  other: () => undefined,

  hear({ path, headers, body }: Asked) {
    demand(path === '/v1/responses', `nothing is at ${path}`);
    demand(headers.get('authorization') === 'Bearer key-of-responses', 'the key is missing');
    const unknown = Object.keys(body).filter((field) => !FIELDS.has(field));
    demand(unknown.length === 0, `Unknown parameter: ${unknown.join()}`);
    const input =
      typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input as JsonObject[]);
    const effort = (body.reasoning as { effort?: string } | undefined)?.effort;
    const thinks = effort !== undefined && effort !== null && effort !== 'none';
    storing = body.store !== false;
    const included = ((body.include ?? []) as string[]).includes('reasoning.encrypted_content');
    const results = hearItems(input, thinks && (included || storing));
    const tools = (body.tools ?? []) as JsonObject[];
    for (const tool of tools.filter(({ type }) => type === 'function')) {
      demand(/^[\w-]{1,64}$/.test(String(tool.name)), 'a tool has no name');
      demand(tool.strict !== true || isStrict(tool.parameters as JsonObject), 'the schema is not strict');
    }
    const parts = input.filter(({ role }) => role === 'user').flatMap(({ content }) => partsOf(content));
    const { format } = (body.text ?? {}) as { format?: JsonObject };
    demand(format?.type !== 'json_schema' || format.name, "Missing required parameter: 'text.format.name'");
    return {
      scene: sceneOf(parts.map(({ text }) => text ?? '').join('\n')),
      results,
      thinks,
      stream: body.stream === true,
      schema:
        format?.type === 'json_schema'
          ? Object.keys((format.schema as JsonObject).properties as JsonObject)
          : undefined,
      must: forcedOf(
        body.tool_choice === 'required' || typeof body.tool_choice === 'object',
        tools.map(({ name, parameters }) => [name, parameters]),
      ),
      pictures: parts.filter(({ type }) => type === 'input_image').map(pictureOf),
      tools: tools.map(({ name }) => String(name)),
    };
  },

  whole: (said, turn) => answer(itemsOf(said, turn), 'completed'),

  events(said, turn) {
    const stream = new Events();
    const items = itemsOf(said, turn);
    stream.begin();
    items.forEach((item, index) => stream.item(item, index));
    stream.add({ type: 'response.completed', response: answer(items, 'completed') });
    return stream.frames;
  },

  begun() {
    const stream = new Events();
    stream.begin();
    stream.open({ type: 'message', id: 'msg_0', role: 'assistant', content: [] }, 0);
    stream.part('msg_0', 0);
    const head = stream.frames.splice(0);
    stream.add({
      type: 'response.output_text.delta',
      ...textAt('msg_0', 0),
      delta: PIECE,
      logprobs: [],
    });
    const piece = stream.frames.splice(0)[0]!;
    const error = { code: 'server_error', message: BREAKAGE };
    stream.add({
      type: 'response.failed',
      response: { ...answer([], 'failed'), usage: null, error },
    });
    return { head, piece, broken: stream.frames[0]! };
  },

  error: (status, message) => ({
    error: {
      message,
      type: status === 429 ? 'requests' : 'invalid_request_error',
      param: null,
      code: status === 429 ? 'rate_limit_exceeded' : null,
    },
  }),
};

/**
 * Every call needs an output after it and every output a call before it; encrypted reasoning must be
 * returned.
 */
function hearItems(input: readonly JsonObject[], sealed: boolean): string[][] {
  demand(input?.length > 0, 'input is empty');
  const results: string[][] = [];
  const open = new Set<unknown>();
  let turn = -1;
  let seal: unknown;
  let behindOutput = true;
  for (const given of input) {
    const item = given.type === 'item_reference' ? stored.get(String(given.id)) : given;
    demand(item, `Item with id '${String(given.id)}' not found.`);
    const { type = 'message', call_id: id } = item as JsonObject;
    if (type === 'reasoning') {
      demand(Array.isArray(item.summary), 'reasoning needs its summary');
      seal = item.encrypted_content;
      behindOutput = true;
    } else if (type === 'function_call') {
      demand(typeof id === 'string' && typeof item.name === 'string', 'function_call needs call_id and name');
      JSON.parse(item.arguments as string);
      if (behindOutput) {
        turn += 1;
        results.push([]);
        demand(!sealed || seal === sealOf(turn), `reasoning of turn ${turn} came back as ${String(seal)}`);
      }
      behindOutput = false;
      open.add(id);
    } else if (type === 'function_call_output') {
      demand(open.delete(id), `No tool call found for function call output with call_id ${String(id)}`);
      results[turn]!.push(
        partsOf(item.output)
          .map(({ text }) => text)
          .join(''),
      );
      behindOutput = true;
    } else {
      demand(type === 'message', `Invalid value: '${String(type)}'`);
      demand(
        ['user', 'assistant', 'system', 'developer'].includes(String(item.role)),
        `role ${String(item.role)}`,
      );
      const wanted = item.role === 'assistant' ? /^output_text$|^refusal$/ : /^input_/;
      const content = Array.isArray(item.content) ? (item.content as JsonObject[]) : [];
      demand(
        content.every((part) => wanted.test(String(part.type))),
        `content of ${String(item.role)}`,
      );
    }
  }
  demand(open.size === 0, `No tool output found for function call ${[...open].join()}`);
  return results;
}

function isStrict({ properties = {}, required = [], additionalProperties }: JsonObject): boolean {
  const names = Object.keys(properties as JsonObject);
  return additionalProperties === false && names.every((name) => (required as string[]).includes(name));
}

function partsOf(content: unknown): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'input_text', text: content }] : (content as JsonObject[]);
}

function pictureOf({ image_url: url }: JsonObject): string {
  const data = /^data:image\/png;base64,(.*)$/.exec(String(url))?.[1];
  demand(data, `no picture: ${String(url).slice(0, 50)}`);
  return data;
}

type Item = JsonObject & { id: string; type: string };

function itemsOf({ reasoning, text, calls = [] }: Said, turn: number): Item[] {
  const thought = {
    id: `rs_${turn}`,
    type: 'reasoning',
    summary: [{ type: 'summary_text', text: reasoning }],
    encrypted_content: sealOf(turn),
  };
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  const message = {
    id: `msg_${turn}`,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [part],
  };
  const items: Item[] = [
    ...(reasoning === undefined ? [] : [thought]),
    ...(text === undefined ? [] : [message]),
    ...calls.map(({ name, input }, at) => ({
      id: `fc_0${turn}${at}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_0${turn}${at}`,
      name,
      arguments: JSON.stringify(input),
    })),
  ];
  if (storing) for (const item of items) stored.set(item.id, item);
  return items;
}

function answer(output: readonly Item[], status: string): JsonObject {
  return {
    id: 'resp_scripted',
    object: 'response',
    created_at: 1_700_000_000,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: responses.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: status === 'completed' ? usage : null,
    user: null,
    metadata: {},
  };
}

function textAt(item_id: string, output_index: number): JsonObject {
  return { item_id, output_index, content_index: 0 };
}

/** Numbered events. */
class Events {
  readonly frames: string[] = [];
  #sequence = 0;

  add(value: JsonObject & { type: string }): void {
    this.frames.push(frame({ ...value, sequence_number: this.#sequence }, value.type));
    this.#sequence += 1;
  }

  begin(): void {
    this.add({ type: 'response.created', response: answer([], 'in_progress') });
    this.add({ type: 'response.in_progress', response: answer([], 'in_progress') });
  }

  open(item: Item, output_index: number): void {
    this.add({
      type: 'response.output_item.added',
      output_index,
      item: { ...item, status: 'in_progress' },
    });
  }

  part(id: string, index: number): void {
    const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    this.add({ type: 'response.content_part.added', ...textAt(id, index), part });
  }

  item(item: Item, output_index: number): void {
    const { id, type } = item;
    if (type === 'message') this.#message(item, output_index);
    else if (type === 'function_call') {
      this.open({ ...item, arguments: '' }, output_index);
      const json = String(item.arguments);
      for (const delta of fragments(json, 5)) {
        this.add({ type: 'response.function_call_arguments.delta', item_id: id, output_index, delta });
      }
      this.add({
        type: 'response.function_call_arguments.done',
        item_id: id,
        output_index,
        arguments: json,
      });
    } else this.#reasoning(item, output_index);
    this.add({ type: 'response.output_item.done', output_index, item });
  }

  #message({ id, content, ...item }: Item, index: number): void {
    const [part] = content as JsonObject[];
    const text = String(part!.text);
    this.open({ ...item, id, content: [] } as unknown as Item, index);
    this.part(id, index);
    for (const delta of fragments(text)) {
      this.add({ type: 'response.output_text.delta', ...textAt(id, index), delta, logprobs: [] });
    }
    this.add({ type: 'response.output_text.done', ...textAt(id, index), text, logprobs: [] });
    this.add({ type: 'response.content_part.done', ...textAt(id, index), part });
  }

  #reasoning({ id, summary, ...item }: Item, output_index: number): void {
    const [part] = summary as JsonObject[];
    const at = { item_id: id, output_index, summary_index: 0 };
    this.open({ ...item, id, summary: [] } as unknown as Item, output_index);
    this.add({
      type: 'response.reasoning_summary_part.added',
      ...at,
      part: { type: 'summary_text', text: '' },
    });
    for (const delta of fragments(String(part!.text))) {
      this.add({ type: 'response.reasoning_summary_text.delta', ...at, delta });
    }
    this.add({ type: 'response.reasoning_summary_text.done', ...at, text: part!.text });
    this.add({ type: 'response.reasoning_summary_part.done', ...at, part });
  }
}
