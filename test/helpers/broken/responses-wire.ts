import type { JsonObject } from '../../../src/wire/json.ts';
import type { ErrorAnswer } from './errors.ts';
import type { Wire, WireOptions } from './wire.ts';
import { MALFORMED, USAGE } from './wire.ts';

const RESPONSE_USAGE = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: USAGE.input + USAGE.output,
};

/**
 * OpenAI's Responses API, without storing anything. @see
 * https://platform.openai.com/docs/api-reference/responses-streaming
 */
export function responsesWire(options: WireOptions): Wire {
  const answer = new ResponseEvents(options);
  return {
    get opening() {
      return answer.open();
    },
    piece: (text) => answer.say(text),
    toolCall: (args) => answer.call(args),
    get thinking() {
      return answer.think();
    },
    get closing() {
      return answer.close();
    },
    get terminator() {
      return answer.complete();
    },
    malformed: MALFORMED,
    pause: ': still here\n\n',
    whole: (text) => JSON.stringify(responseOf(options, 'completed', [messageOf(options, [text])])),
    errorBody: (error) => JSON.stringify({ error: errorOf(error) }),
    errorEvent: (error) => answer.fail(error),
  };
}

type Status = 'in_progress' | 'completed' | 'failed';

/** The events of one response: numbered, and the closing ones contain all the text so far. */
class ResponseEvents {
  readonly #options: WireOptions;
  readonly #output: JsonObject[] = [];
  #sequence = 0;
  #begun = false;
  /** The message in progress. */
  #said: string[] | undefined;
  /** The tool call in progress. */
  #call: JsonObject | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  open(): string {
    this.#begun = true;
    const response = responseOf(this.#options, 'in_progress', []);
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
  }

  say(text: string): string {
    const begun = this.#said ? '' : this.close() + this.#beginMessage();
    this.#said!.push(text);
    return begun + this.#event('response.output_text.delta', { ...this.#part, delta: text, logprobs: [] });
  }

  call(args: string): string {
    const closed = this.close();
    this.#call = { id: `fc_${this.#options.id}`, type: 'function_call', name: 'weather', call_id: 'call_1' };
    const item = { ...this.#call, status: 'in_progress', arguments: '' };
    this.#call.arguments = args;
    return (
      closed +
      this.#event('response.output_item.added', { ...this.#at, item }) +
      this.#event('response.function_call_arguments.delta', {
        ...this.#at,
        item_id: this.#call.id,
        delta: args,
      })
    );
  }

  think(): string {
    const closed = this.close();
    const part = { type: 'summary_text', text: 'Let me see.' };
    const item = { id: `rs_${this.#options.id}`, type: 'reasoning', summary: [] as unknown[] };
    const at = { ...this.#at, item_id: item.id, summary_index: 0 };
    const events = [
      this.#event('response.output_item.added', { ...this.#at, item }),
      this.#event('response.reasoning_summary_part.added', { ...at, part: { ...part, text: '' } }),
      this.#event('response.reasoning_summary_text.delta', { ...at, delta: part.text }),
      this.#event('response.reasoning_summary_text.done', { ...at, text: part.text }),
      this.#event('response.reasoning_summary_part.done', { ...at, part }),
    ];
    const whole = { ...item, summary: [part], encrypted_content: 'c2VhbGVk' };
    return closed + events.join('') + this.#done(whole);
  }

  /** Ends the item in progress. */
  close(): string {
    if (this.#call) return this.#endCall(this.#call);
    return this.#said ? this.#endMessage(this.#said) : '';
  }

  complete(): string {
    const response = responseOf(this.#options, 'completed', this.#output);
    return this.#event('response.completed', { response });
  }

  /** As recorded from OpenAI: the error is nested, unlike in its reference, and a response that has begun fails. */
  fail(error: ErrorAnswer): string {
    const told = errorOf(error);
    const event = this.#event('error', { error: told });
    if (!this.#begun) return event;
    const failed = { code: told.code ?? 'server_error', message: told.message };
    const response = { ...responseOf(this.#options, 'failed', this.#output), error: failed };
    return event + this.#event('response.failed', { response });
  }

  #beginMessage(): string {
    this.#said = [];
    const item = { ...messageOf(this.#options, []), status: 'in_progress', content: [] };
    return (
      this.#event('response.output_item.added', { ...this.#at, item }) +
      this.#event('response.content_part.added', { ...this.#part, part: textPart('') })
    );
  }

  #endMessage(said: readonly string[]): string {
    const text = said.join('');
    const part = textPart(text);
    const events =
      this.#event('response.output_text.done', { ...this.#part, text, logprobs: [] }) +
      this.#event('response.content_part.done', { ...this.#part, part });
    this.#said = undefined;
    return events + this.#done(messageOf(this.#options, said));
  }

  #endCall(call: JsonObject): string {
    const { id, name, arguments: args } = call;
    this.#call = undefined;
    return (
      this.#event('response.function_call_arguments.done', {
        ...this.#at,
        item_id: id,
        name,
        arguments: args,
      }) + this.#done({ ...call, status: 'completed' })
    );
  }

  #done(item: JsonObject): string {
    const event = this.#event('response.output_item.done', { ...this.#at, item });
    this.#output.push(item);
    return event;
  }

  get #at() {
    return { output_index: this.#output.length };
  }

  get #part() {
    return { ...this.#at, item_id: messageId(this.#options), content_index: 0 };
  }

  #event(type: string, fields: JsonObject): string {
    const data = { type, sequence_number: this.#sequence, ...fields };
    this.#sequence += 1;
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

function responseOf({ id, model }: WireOptions, status: Status, output: readonly JsonObject[]): JsonObject {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: 1,
    completed_at: status === 'completed' ? 2 : null,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    ...(status === 'completed' ? { usage: RESPONSE_USAGE } : {}),
  };
}

function messageId({ id }: WireOptions): string {
  return `msg_${id}`;
}

function messageOf(options: WireOptions, said: readonly string[]): JsonObject {
  const content = [textPart(said.join(''))];
  return { id: messageId(options), type: 'message', role: 'assistant', status: 'completed', content };
}

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function errorOf({ openai: [type, code], message }: ErrorAnswer) {
  return { type, code, message, param: null };
}
