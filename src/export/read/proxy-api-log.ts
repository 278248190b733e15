/**
 * Log lines of the Python program that llmproxy reimplements. Its main logger merged the extra fields into the top
 * level; its exporter read them from `extra_data`. Both forms are read here.
 */
import { isObject, numberOf, objectOf, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Entry } from './facts.ts';
import { firstChoice, isFinished, isSuccessStatus, NO_FACTS, tokenCount } from './facts.ts';
import type { Filter } from '../errors.ts';

/** The line as an entry, or `undefined` when it is not one of that program's. */
export function pythonEntry(record: JsonObject): Entry | undefined {
  const { timestamp, level, message } = record;
  if (typeof timestamp !== 'string' || typeof level !== 'string' || typeof message !== 'string')
    return undefined;
  const data = isObject(record.extra_data) ? record.extra_data : record;
  const { request, response } = data;
  const body = isObject(request) && request.messages !== undefined ? request : data;
  const model =
    stringOf(data.model) ??
    stringOf(body.model) ??
    (isObject(response) ? stringOf(response.model) : '') ??
    '';
  const talks = body.messages !== undefined && response !== undefined;
  return {
    ...NO_FACTS,
    ts: timestamp,
    model,
    provider: stringOf(data.provider) ?? null,
    status: numberOf(data.status_code ?? data.status) ?? null,
    finish: stringOf(data.finish_reason) ?? null,
    user: stringOf(body.user) ?? null,
    ...tokensOf(data),
    latencyMs: secondsOf(data.response_time),
    failure: failureOf(level, data),
    reject: talks ? undefined : 'not_a_conversation',
    request: body,
    answer: answerMessage(response) ?? {},
    record,
  };
}

/** The tokens of a line. If only their sum was logged, it counts as input: filters and percentiles use sums. */
function tokensOf({ tokens, response }: JsonObject): Pick<Entry, 'inputTokens' | 'outputTokens'> {
  const usage = objectOf(objectOf(response).usage);
  const [input, output] = [tokenCount(usage.prompt_tokens), tokenCount(usage.completion_tokens)];
  if (input !== null && output !== null) return { inputTokens: input, outputTokens: output };
  const sum = tokenCount(tokens);
  return { inputTokens: sum, outputTokens: sum === null ? null : 0 };
}

/** That program logged seconds. */
function secondsOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds === undefined ? null : seconds * 1000;
}

const GOOD_WORDS = new Set(['ok', 'success', 'successful', 'succeeded', 'completed', 'complete', 'done']);

function failureOf(level: string, data: JsonObject): Filter | undefined {
  const statuses = [data.status, data.status_code].filter(
    (status) => status !== undefined && status !== null,
  );
  if (/^(error|critical|fatal)$/i.test(level) || hasError(data) || !statuses.every(isGood))
    return 'unsuccessful';
  const choice = isObject(data.response) ? firstChoice(data.response.choices) : undefined;
  // The original wrote no finish reasons: only one that is present can indicate a failure.
  const finish = stringOf(data.finish_reason) ?? stringOf(choice?.finish_reason);
  return finish === undefined || isFinished(finish) ? undefined : 'unfinished';
}

function hasError({ error, exception, response }: JsonObject): boolean {
  return [error, exception, isObject(response) ? response.error : undefined].some(Boolean);
}

function isGood(status: unknown): boolean {
  if (typeof status === 'boolean') return status;
  const number = numberOf(typeof status === 'string' && /^\d+$/.test(status) ? Number(status) : status);
  if (number !== undefined) return isSuccessStatus(number);
  return typeof status === 'string' && GOOD_WORDS.has(status.toLowerCase());
}

/** The assistant message in a `response` of any known form: text, completion, message, or a list of these. */
function answerMessage(response: unknown): JsonObject | undefined {
  if (typeof response === 'string') return { role: 'assistant', content: response };
  if (Array.isArray(response)) return answerInList(response);
  if (!isObject(response)) return undefined;
  const { choices, message, content, tool_calls, function_call, refusal } = response;
  const choice = firstChoice(choices);
  if (choice) return answerMessage(choice.message ?? choice.text);
  if (isObject(message)) return answerMessage(message);
  if ([content, tool_calls, function_call, refusal].some((field) => field !== undefined)) return response;
  const text = [response.text, response.response, response.output_text, message].find(
    (field) => typeof field === 'string',
  );
  return text === undefined ? undefined : { role: 'assistant', content: text };
}

function answerInList(list: readonly unknown[]): JsonObject | undefined {
  const isPart = (item: unknown) =>
    typeof item === 'string' || (isObject(item) && typeof item.type === 'string' && item.role === undefined);
  if (list.every(isPart)) return { role: 'assistant', content: list };
  const message = list.findLast((item) => isObject(item) && item.role === 'assistant');
  return answerMessage(message ?? list.find((item) => isObject(item) && item.role === undefined));
}
