/**
 * What a recorded answer says, read from its JSON without any code of this project's protocols: what the decoders are
 * measured by. Deliberately plain.
 */
import type { JsonObject } from '../../../src/wire/json.ts';
import type { Api, Recorded } from './exchange.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../../../src/wire/json.ts';
import { frameEvents } from './frames.ts';
import { textOf } from './exchange.ts';

type Body = Pick<Recorded, 'headers' | 'body'>;

export interface Truth {
  text: string;
  reasoning: string;
  /** Name and arguments, in order. */
  calls: [string, string][];
  /** In the vendor's words. */
  finish: string | undefined;
  /** As the vendor counts. */
  usage: JsonObject | undefined;
  /** An error came inside of the answer. */
  error: boolean;
  /** The stream came to its end. */
  ended: boolean;
}

function nothing(): Truth {
  return {
    text: '',
    reasoning: '',
    calls: [],
    finish: undefined,
    usage: undefined,
    error: false,
    ended: false,
  };
}

/** Whether the answer is a stream. */
export function isStream({ headers, body }: Body): boolean {
  const type = headers.get('content-type') ?? '';
  // Frames of AWS begin with their length.
  if (body[0] === 0) return true;
  if (/event-stream|eventstream/.test(type)) return true;
  return /^\s*(?:event:|data:|:)/.test(textOf(body.subarray(0, 40)));
}

/** The values of a stream's events. */
export function eventsOf({ body }: Body, api: Api): JsonObject[] {
  if (api === 'converse') return frameEvents(body);
  return textOf(body)
    .split(/\r?\n\r?\n/)
    .map((block) =>
      block
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n'),
    )
    .map((data) => parseJson(data))
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isObject);
}

export function truthOf(recorded: Body, api: Api): Truth {
  const truth = nothing();
  if (isStream(recorded)) {
    for (const event of eventsOf(recorded, api)) STREAMED[api](truth, event);
    // Some hosts end a stream in so many words and forget its finish reason.
    truth.ended ||= api === 'chat' && /^data: ?\[DONE\]\s*$/m.test(textOf(recorded.body));
    return truth;
  }
  const value = parseJson(textOf(recorded.body));
  // Without `alt=sse` Google streams one list.
  for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) WHOLE[api](truth, objectOf(each));
  return truth;
}

function textsOf(content: unknown, key = 'text'): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part)[key]) ?? '')
    .join('');
}

function chat(truth: Truth, value: JsonObject, field: 'message' | 'delta'): void {
  if (value.error) truth.error = true;
  truth.usage = (value.usage as JsonObject) ?? (objectOf(value.x_groq).usage as JsonObject) ?? truth.usage;
  const choice = listOf(value.choices)
    .map(objectOf)
    .find(({ index = 0 }) => index === 0);
  if (!choice) return;
  const said = objectOf(choice[field]);
  if (typeof said.content === 'string') truth.text += said.content;
  for (const part of Array.isArray(said.content) ? (said.content as JsonObject[]) : []) {
    if (part.type === 'thinking') truth.reasoning += textsOf(part.thinking);
    else truth.text += stringOf(part.text) ?? '';
  }
  truth.reasoning += stringOf(said.reasoning_content) ?? stringOf(said.reasoning) ?? '';
  for (const call of listOf(said.tool_calls).map(objectOf)) {
    const { name, arguments: given } = objectOf(call.function);
    const text = isObject(given) ? JSON.stringify(given) : (stringOf(given) ?? '');
    const at = field === 'message' ? truth.calls.length : (numberOf(call.index) ?? truth.calls.length);
    const known = truth.calls[at];
    if (known) known[1] += text;
    else truth.calls[at] = [stringOf(name) ?? '', text];
  }
  truth.finish = stringOf(choice.finish_reason) || truth.finish;
  truth.ended = truth.finish !== undefined;
}

function messageBlock(truth: Truth, block: JsonObject): void {
  if (block.type === 'text') truth.text += stringOf(block.text) ?? '';
  if (block.type === 'thinking') truth.reasoning += stringOf(block.thinking) ?? '';
  if (block.type === 'tool_use') truth.calls.push([String(block.name), JSON.stringify(block.input ?? {})]);
}

function message(truth: Truth, value: JsonObject): void {
  if (value.type === 'error') truth.error = true;
  for (const block of listOf(value.content)) messageBlock(truth, objectOf(block));
  truth.finish = stringOf(value.stop_reason);
  truth.usage = objectOf(value.usage);
  truth.ended = true;
}

function messageEvent(truth: Truth, event: JsonObject): void {
  const state = truth as Truth & { places?: Map<unknown, number> };
  state.places ??= new Map();
  const delta = objectOf(event.delta);
  if (event.type === 'error') truth.error = true;
  if (event.type === 'message_start') truth.usage = { ...objectOf(objectOf(event.message).usage) };
  if (event.type === 'content_block_start') {
    const block = objectOf(event.content_block);
    if (block.type === 'text') truth.text += stringOf(block.text) ?? '';
    if (block.type === 'tool_use') {
      state.places.set(event.index, truth.calls.length);
      const input = objectOf(block.input);
      truth.calls.push([String(block.name), Object.keys(input).length > 0 ? JSON.stringify(input) : '']);
    }
  }
  if (delta.type === 'text_delta') truth.text += String(delta.text);
  if (delta.type === 'thinking_delta') truth.reasoning += String(delta.thinking);
  if (delta.type === 'input_json_delta') {
    const call = truth.calls[state.places.get(event.index) ?? -1];
    if (call) call[1] += String(delta.partial_json);
  }
  if (event.type === 'message_delta') {
    truth.finish = stringOf(delta.stop_reason) ?? truth.finish;
    const given = Object.entries(objectOf(event.usage)).filter(([, count]) => count !== null);
    truth.usage = { ...truth.usage, ...Object.fromEntries(given) };
  }
  if (event.type === 'message_stop') truth.ended = true;
}

function response(truth: Truth, value: JsonObject): void {
  if (isObject(value.error)) truth.error = true;
  const thoughts: string[] = [];
  for (const item of listOf(value.output).map(objectOf)) {
    if (item.type === 'message') truth.text += textsOf(item.content);
    if (item.type === 'function_call') truth.calls.push([String(item.name), String(item.arguments)]);
    if (item.type !== 'reasoning') continue;
    for (const part of [...listOf(item.summary), ...listOf(item.content)]) {
      const text = stringOf(objectOf(part).text);
      if (text) thoughts.push(text);
    }
  }
  truth.reasoning = thoughts.join('\n\n');
  truth.finish = `${String(value.status)} ${String(objectOf(value.incomplete_details).reason ?? '')}`.trim();
  truth.usage = isObject(value.usage) ? value.usage : undefined;
  truth.ended = value.status === 'completed' || value.status === 'incomplete';
}

function responseEvent(truth: Truth, event: JsonObject): void {
  if (event.type === 'error' || event.type === 'response.failed') truth.error = true;
  if (event.type === 'response.output_text.delta') truth.text += String(event.delta);
  if (event.type !== 'response.completed' && event.type !== 'response.incomplete') return;
  const { text, calls } = truth;
  const whole = nothing();
  response(whole, objectOf(event.response));
  Object.assign(truth, whole, {
    text: text || whole.text,
    calls: whole.calls.length > 0 ? whole.calls : calls,
  });
}

function gemini(truth: Truth, value: JsonObject): void {
  if (isObject(value.error)) truth.error = true;
  truth.usage = isObject(value.usageMetadata) ? { ...truth.usage, ...value.usageMetadata } : truth.usage;
  if (objectOf(value.promptFeedback).blockReason && !value.candidates) truth.finish = 'SAFETY';
  const candidate = objectOf(listOf(value.candidates)[0]);
  for (const part of listOf(objectOf(candidate.content).parts).map(objectOf)) {
    if (isObject(part.functionCall)) {
      truth.calls.push([String(part.functionCall.name), JSON.stringify(part.functionCall.args ?? {})]);
    } else if (part.thought === true) truth.reasoning += stringOf(part.text) ?? '';
    else truth.text += stringOf(part.text) ?? '';
  }
  // Vertex gives the number of the word to some.
  if (candidate.finishReason !== undefined) truth.finish = String(candidate.finishReason);
  truth.ended = truth.finish !== undefined;
}

function converse(truth: Truth, value: JsonObject): void {
  for (const block of listOf(objectOf(objectOf(value.output).message).content).map(objectOf)) {
    truth.text += stringOf(block.text) ?? '';
    truth.text += textsOf(objectOf(block.citationsContent).content);
    truth.reasoning += stringOf(objectOf(objectOf(block.reasoningContent).reasoningText).text) ?? '';
    const { toolUse: use } = block;
    if (isObject(use) && use.type !== 'server_tool_use') {
      truth.calls.push([String(use.name), JSON.stringify(use.input ?? {})]);
    }
  }
  truth.finish = stringOf(value.stopReason);
  truth.usage = objectOf(value.usage);
  truth.ended = true;
}

function converseEvent(truth: Truth, event: JsonObject): void {
  const name = String(event[':event']);
  const delta = objectOf(event.delta);
  const state = truth as Truth & { places?: Map<unknown, number> };
  state.places ??= new Map();
  if (name.endsWith('Exception')) truth.error = true;
  const use = objectOf(event.start).toolUse;
  if (isObject(use) && use.type !== 'server_tool_use') {
    state.places.set(event.contentBlockIndex, truth.calls.length);
    truth.calls.push([String(use.name), '']);
  }
  truth.text += stringOf(delta.text) ?? '';
  truth.reasoning += stringOf(objectOf(delta.reasoningContent).text) ?? '';
  const call = truth.calls[state.places.get(event.contentBlockIndex) ?? -1];
  if (call && isObject(delta.toolUse)) call[1] += String(delta.toolUse.input);
  truth.finish = stringOf(event.stopReason) ?? truth.finish;
  if (isObject(event.usage)) truth.usage = event.usage;
  truth.ended = truth.finish !== undefined;
}

function cohere(truth: Truth, value: JsonObject): void {
  const said = objectOf(value.message);
  truth.text += stringOf(said.tool_plan) ?? '';
  for (const part of listOf(said.content).map(objectOf)) {
    if (part.type === 'thinking') truth.reasoning += String(part.thinking);
    else truth.text += stringOf(part.text) ?? '';
  }
  for (const call of listOf(said.tool_calls).map(objectOf)) {
    const { name, arguments: text } = objectOf(call.function);
    truth.calls.push([String(name), String(text)]);
  }
  truth.finish = stringOf(value.finish_reason);
  truth.usage = objectOf(value.usage);
  truth.ended = true;
}

function cohereEvent(truth: Truth, { type, delta }: JsonObject): void {
  const said = objectOf(objectOf(delta).message);
  const content = objectOf(said.content);
  truth.text += (stringOf(said.tool_plan) ?? '') + (stringOf(content.text) ?? '');
  truth.reasoning += stringOf(content.thinking) ?? '';
  const fn = objectOf(objectOf(said.tool_calls).function);
  if (type === 'tool-call-start') truth.calls.push([String(fn.name), stringOf(fn.arguments) ?? '']);
  if (type === 'tool-call-delta') truth.calls.at(-1)![1] += String(fn.arguments);
  if (type !== 'message-end') return;
  truth.finish = stringOf(objectOf(delta).finish_reason);
  truth.usage = objectOf(objectOf(delta).usage);
  truth.ended = true;
}

type Reading = (truth: Truth, value: JsonObject) => void;

const WHOLE: Readonly<Record<Api, Reading>> = {
  chat: (truth, value) => chat(truth, value, 'message'),
  messages: message,
  responses: response,
  gemini,
  converse,
  cohere,
};

const STREAMED: Readonly<Record<Api, Reading>> = {
  chat: (truth, value) => chat(truth, value, 'delta'),
  messages: messageEvent,
  responses: responseEvent,
  gemini,
  converse: converseEvent,
  cohere: cohereEvent,
};
