/**
 * Reads datasets from other sources as if they were logs: the formats of OpenAI and TRL, ShareGPT, Alpaca, Anthropic's.
 */
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Entry } from './facts.ts';
import { NO_FACTS } from './facts.ts';
import { translated } from './translated.ts';

/** The row as an entry, or `undefined` when it has none of these formats. Time, key and success are unknown. */
export function foreignEntry(record: JsonObject): Entry | undefined {
  const { messages, conversations, prompt, completion, instruction, output } = record;
  const facts = { ...NO_FACTS, model: stringOf(record.model) ?? '' };
  const base: Entry = { ...facts, request: {}, answer: {}, record };
  if (isTalk(messages)) return fromMessages(base, messages, record);
  if (isTalk(prompt) && isTalk(completion))
    return fromMessages(base, [...prompt.map(shown), ...completion], record);
  if (typeof prompt === 'string' && typeof completion === 'string')
    return fromMessages(base, [says('user', prompt), says('assistant', completion)], record);
  if (isShared(conversations)) return fromShareGpt(base, conversations, record);
  if (typeof instruction === 'string' && typeof output === 'string') return fromAlpaca(base, record);
  // A text or a pair is not a conversation with one answer.
  if (typeof record.text === 'string' || isTalk(record.chosen))
    return { ...base, reject: 'not_a_conversation' };
  return undefined;
}

function isTalk(value: unknown): value is JsonObject[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((message) => isObject(message) && typeof message.role === 'string')
  );
}

function isShared(value: unknown): value is SharedTurn[] {
  const turn = (item: unknown) =>
    isObject(item) && typeof item.from === 'string' && typeof item.value === 'string';
  return Array.isArray(value) && value.length > 0 && value.every(turn);
}

interface SharedTurn extends JsonObject {
  readonly from: string;
  readonly value: string;
}

function says(role: string, content: unknown): JsonObject {
  return { role, content };
}

/** A message of a prompt, which is not trained. */
function shown(message: JsonObject): JsonObject {
  return message.role === 'assistant' ? { ...message, weight: 0 } : message;
}

/** The last message is the answer, if it is the assistant's. */
function fromMessages(
  base: Entry,
  messages: JsonObject[],
  { system, tools, parallel_tool_calls: parallel }: JsonObject,
): Entry {
  if (isAnthropic(messages, system)) return fromAnthropic(base, messages, system);
  const all = typeof system === 'string' ? [says('system', system), ...messages] : messages;
  const prompt = all.slice(0, -1);
  const untrained = prompt.flatMap((message, index) => (isTrained(message) ? [] : [index]));
  const last = all.at(-1)!;
  if (last.role !== 'assistant') return { ...base, reject: 'no_answer' };
  const { label } = base.record;
  if (!isTrained(last) || label === false || label === 0) return { ...base, reject: 'untrained' };
  const list = typeof tools === 'string' ? parseJson(tools) : tools;
  return {
    ...base,
    request: {
      messages: prompt.map(textArguments),
      ...(Array.isArray(list) ? { tools: list.map(wrapped) } : {}),
      ...(typeof parallel === 'boolean' ? { parallel_tool_calls: parallel } : {}),
    },
    answer: textArguments(last),
    untrained: new Set(untrained),
  };
}

function isTrained({ weight, train }: JsonObject): boolean {
  return weight !== 0 && weight !== false && train !== false;
}

/** TRL has arguments as objects, and some rows omit the type of a function. */
function textArguments(message: JsonObject): JsonObject {
  if (!Array.isArray(message.tool_calls)) return message;
  const calls = message.tool_calls.map((call: unknown, index) => {
    const { id, type, function: called } = objectOf(call);
    return { id: id ?? `call_${index}`, type: type ?? 'function', function: called };
  });
  return { ...message, tool_calls: calls };
}

function wrapped(tool: unknown): unknown {
  return isObject(tool) && tool.function === undefined && typeof tool.name === 'string'
    ? { type: 'function', function: tool }
    : tool;
}

const BLOCKS: ReadonlySet<unknown> = new Set(['tool_use', 'tool_result', 'thinking', 'redacted_thinking']);

function isAnthropic(messages: readonly JsonObject[], system: unknown): boolean {
  if (Array.isArray(system)) return true;
  return messages.some(({ content }) => listOf(content).some((part) => BLOCKS.has(objectOf(part).type)));
}

function fromAnthropic(base: Entry, messages: readonly JsonObject[], system: unknown): Entry {
  const last = messages.at(-1)!;
  if (last.role !== 'assistant') return { ...base, reject: 'no_answer' };
  const content = typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
  const request = {
    model: base.model || 'unknown',
    max_tokens: 1,
    messages: messages.slice(0, -1),
    ...(system ? { system } : {}),
  };
  const tools = listOf(base.record.tools);
  const response = { type: 'message', role: 'assistant', content, stop_reason: 'end_turn' };
  return {
    ...base,
    ...translated('messages', { ...request, ...(tools.length > 0 ? { tools } : {}) }, response, base),
  };
}

const SPEAKERS: Readonly<Record<string, string>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  model: 'assistant',
  system: 'system',
  function_call: 'assistant',
  observation: 'tool',
  tool: 'tool',
};

function fromShareGpt(base: Entry, turns: readonly SharedTurn[], record: JsonObject): Entry {
  let calls: JsonObject[] = [];
  const messages = turns.flatMap((turn, index): JsonObject[] => {
    const { from, value } = turn;
    const mark = isTrained(turn) ? {} : { weight: 0 };
    const role = SPEAKERS[from];
    if (from === 'function_call') {
      calls = callsIn(value, index);
      return [{ role: 'assistant', content: '', tool_calls: calls, ...mark }];
    }
    if (role === 'tool') return resultsIn(value, calls);
    return [{ ...says(role ?? from, value), ...mark }];
  });
  const { tools, system } = record;
  return fromMessages(base, messages, { ...(stringOf(system) ? { system } : {}), tools });
}

function callsIn(text: string, index: number): JsonObject[] {
  const parsed = parseJson(text);
  return (Array.isArray(parsed) ? parsed : [parsed]).map((call, at) => {
    const { name, arguments: args } = objectOf(call);
    return { id: `call_${index}_${at}`, type: 'function', function: { name, arguments: args ?? {} } };
  });
}

/** Results of several calls are in one list. */
function resultsIn(text: string, calls: readonly JsonObject[]): JsonObject[] {
  const parsed = calls.length > 1 ? parseJson(text) : undefined;
  const results = Array.isArray(parsed) && parsed.length === calls.length ? parsed : [text];
  return results.map((result: unknown, index) => ({
    role: 'tool',
    tool_call_id: calls[index]?.id,
    content: typeof result === 'string' ? result : JSON.stringify(result),
  }));
}

function fromAlpaca(base: Entry, { instruction, input, output, system, history }: JsonObject): Entry {
  const before = listOf(history).flatMap((turn) => {
    const [question, answered] = listOf(turn);
    return [says('user', question), says('assistant', answered)];
  });
  const question = [instruction, input].filter((text) => typeof text === 'string' && text !== '').join('\n');
  const opening = stringOf(system) ? [says('system', system)] : [];
  return fromMessages(base, [...opening, ...before, says('user', question), says('assistant', output)], {});
}
