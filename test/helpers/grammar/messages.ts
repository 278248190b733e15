import type { JsonObject } from '../../../src/wire/json.ts';
import type { Problems } from './frames.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { framesOf } from './frames.ts';

const STOP_REASONS = new Set([
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
]);

/** The deltas of each type, the blocks that accept them, and the fields that they extend. */
const DELTAS: Readonly<Record<string, readonly [block: string, field: string]>> = {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  signature_delta: ['thinking', 'signature'],
  input_json_delta: ['tool_use', 'partial_json'],
};

/** How blocks begin: without anything that their deltas contain. */
const BEGINNINGS: Readonly<Record<string, JsonObject>> = {
  text: { text: '' },
  thinking: { thinking: '' },
  tool_use: { input: {} },
};

/** The position of the stream in a message; `between` blocks, after its `delta`. */
type State = 'before' | 'between' | 'block' | 'delta' | 'stopped' | 'failed';

/** Checks a stream of Messages events against its grammar: returns the message that it makes, and the problems. */
export function checkMessagesStream(sse: string): { message: JsonObject; problems: Problems } {
  const checker = new MessagesChecker();
  for (const { name, value, data } of framesOf(sse, checker.problems)) checker.event(name, value, data);
  checker.end();
  return { message: checker.message, problems: checker.problems };
}

class MessagesChecker {
  readonly problems: Problems = [];
  message: JsonObject = {};
  readonly #content: JsonObject[] = [];
  #state: State = 'before';
  #json = '';
  #signed = false;

  event(name: string | undefined, value: JsonObject | undefined, data: string): void {
    if (!value) return this.#wrong(`data is no JSON object: ${data}`);
    const type = String(value.type);
    if (name !== type) this.#wrong(`event "${name}" holds a "${type}"`);
    if (this.#state === 'failed' || this.#state === 'stopped') this.#wrong(`${type} after the end`);
    if (type === 'ping') return;
    if (type === 'error') return this.#error(value);
    const before = this.#state;
    const after = this.#step(type, value);
    if (!after) return this.#wrong(`${type} while ${before}`);
    this.#state = after;
  }

  end(): void {
    if (this.#state !== 'stopped' && this.#state !== 'failed')
      this.#wrong(`the stream ends while ${this.#state}`);
  }

  #step(type: string, value: JsonObject): State | undefined {
    const state = this.#state;
    if (type === 'message_start' && state === 'before') return this.#start(objectOf(value.message));
    if (type === 'content_block_start' && state === 'between') return this.#open(value);
    if (type === 'content_block_delta' && state === 'block') return this.#grow(value);
    if (type === 'content_block_stop' && state === 'block') return this.#close(value);
    if (type === 'message_delta' && state === 'between') return this.#finish(value);
    if (type === 'message_stop' && state === 'delta') return 'stopped';
    return undefined;
  }

  #start(message: JsonObject): 'between' {
    const { id, type, role, model, content, stop_reason, stop_sequence } = message;
    const plain = { type, role, content, stop_reason, stop_sequence };
    const wanted = {
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
    };
    if (!Bun.deepEquals(plain, wanted)) this.#wrong(`message_start begins with ${JSON.stringify(plain)}`);
    if (!stringOf(id)?.startsWith('msg_') || !stringOf(model)) this.#wrong(`no id or model: ${id}, ${model}`);
    this.#usage(message.usage, ['input_tokens', 'output_tokens']);
    this.message = { ...message, content: this.#content };
    return 'between';
  }

  #open({ index, content_block }: JsonObject): 'block' {
    const block = { ...objectOf(content_block) };
    if (index !== this.#content.length) this.#wrong(`block ${this.#content.length} has index ${index}`);
    const beginning = BEGINNINGS[String(block.type)];
    for (const key in beginning) {
      if (!Bun.deepEquals(block[key], beginning[key])) this.#wrong(`${block.type} begins with ${key} said`);
    }
    if (block.type === 'tool_use' && (!stringOf(block.id) || !stringOf(block.name)))
      this.#wrong('a tool has no name');
    if (block.type === 'redacted_thinking' && !stringOf(block.data))
      this.#wrong('a redacted block has no data');
    this.#content.push(block);
    this.#json = '';
    this.#signed = false;
    return 'block';
  }

  #grow({ index, delta }: JsonObject): 'block' {
    const block = this.#content.at(-1)!;
    const { type, ...rest } = objectOf(delta);
    const [wanted, field] = DELTAS[String(type)] ?? [];
    if (index !== this.#content.length - 1)
      this.#wrong(`a delta of block ${index} in ${this.#content.length - 1}`);
    if (type === 'citations_delta') block.citations = [...listOf(block.citations), rest.citation];
    // Deltas of types that this project does not write are ignored.
    if (field === undefined) return 'block';
    const piece = stringOf(rest[field]);
    if (block.type !== wanted && !String(block.type).endsWith('tool_use'))
      this.#wrong(`${type} in ${block.type}`);
    if (piece === undefined) this.#wrong(`${type} has no ${field}`);
    if (this.#signed) this.#wrong(`${type} behind the signature`);
    if (type === 'signature_delta') this.#signed = true;
    if (type === 'input_json_delta') this.#json += piece;
    else block[field] = (stringOf(block[field]) ?? '') + piece;
    return 'block';
  }

  #close({ index }: JsonObject): 'between' {
    const block = this.#content.at(-1)!;
    if (index !== this.#content.length - 1)
      this.#wrong(`block ${index} stops in ${this.#content.length - 1}`);
    if (this.#json !== '') block.input = parseJson(this.#json) ?? this.#json;
    return 'between';
  }

  #finish({ delta, usage }: JsonObject): 'delta' {
    Object.assign(this.message, objectOf(delta));
    const { stop_reason: reason, stop_sequence: sequence } = this.message;
    if (!STOP_REASONS.has(String(reason))) this.#wrong(`stop_reason is ${reason}`);
    if ((reason === 'stop_sequence') !== (typeof sequence === 'string'))
      this.#wrong('stop_sequence does not fit');
    this.#usage(usage, ['output_tokens']);
    this.message.usage = { ...objectOf(this.message.usage), ...objectOf(usage) };
    // Only an answer that was cut at the limit may end within its JSON.
    if (reason === 'max_tokens') return 'delta';
    for (const { type, input } of this.#content) {
      if (type === 'tool_use' && !isObject(input)) this.#wrong(`the input of a tool is no object: ${input}`);
    }
    return 'delta';
  }

  #error({ error }: JsonObject): void {
    const { type, message } = objectOf(error);
    if (!stringOf(type) || typeof message !== 'string') this.#wrong('an error without type or message');
    this.#state = 'failed';
  }

  #usage(value: unknown, names: readonly string[]): void {
    const usage = objectOf(value);
    for (const name of names) {
      const count = usage[name];
      if (!Number.isInteger(count) || Number(count) < 0) this.#wrong(`usage.${name} is ${count}`);
    }
  }

  #wrong(problem: string): void {
    this.problems.push(problem);
  }
}
