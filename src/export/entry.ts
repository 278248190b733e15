/** A log record of any known kind, as filters and conversations look at it. */
import type { LineHead } from '../logs/head.ts';
import { RECORD_VERSION } from '../logs/record.ts';
import { isObject, numberOf, stringOf } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Entry, Facts } from './facts.ts';
import { factsOf, firstChoice } from './facts.ts';
import { pythonEntry } from './python.ts';
import { translated } from './translated.ts';

/** The record as an entry, or `undefined` when it is of no known kind. */
export function entryOf(record: JsonObject): Entry | undefined {
  const head = headOf(record);
  return head ? proxyEntry(record, head) : pythonEntry(record);
}

function headOf({ v, ts, model, endpoint, outcome, status, finish }: JsonObject): LineHead | undefined {
  // A later version keeps the meaning of these fields, or is not for this program to read.
  if (
    v !== RECORD_VERSION ||
    typeof ts !== 'string' ||
    typeof endpoint !== 'string' ||
    typeof outcome !== 'string'
  )
    return undefined;
  return {
    ts,
    endpoint,
    outcome,
    status: numberOf(status) ?? 0,
    model: stringOf(model) ?? '',
    finish: stringOf(finish) ?? null,
  };
}

function proxyEntry(record: JsonObject, head: LineHead): Entry {
  const facts = factsOf(head);
  const { request, response } = record;
  const logged = isObject(request) && response !== undefined;
  // A failed request may have no response at all: that is no answer, not a gap in the log.
  const missing = isObject(request) && record.content === 'full' && !listsResponse(record.omitted);
  const flaw = facts.flaw ?? (logged ? undefined : missing ? 'no_answer' : 'not_logged');
  if (flaw || !isObject(request))
    return { ...facts, flaw: flaw ?? 'not_logged', request: {}, answer: {}, record };
  if (head.endpoint === 'messages' || head.endpoint === 'responses')
    return { ...translated(head.endpoint, request, response, facts), record };
  const choice = isObject(response) ? firstChoice(response.choices) : undefined;
  if (head.endpoint === 'chat')
    return { ...facts, request, answer: isObject(choice?.message) ? choice.message : {}, record };
  return completionEntry(facts, record, request, choice);
}

function listsResponse(omitted: unknown): boolean {
  return Array.isArray(omitted) && omitted.includes('response');
}

/** A legacy completion, as the chat it would be today. */
function completionEntry(
  facts: Facts,
  record: JsonObject,
  request: JsonObject,
  choice: JsonObject | undefined,
): Entry {
  const { prompt, echo, suffix } = request;
  const only = Array.isArray(prompt) && prompt.length === 1 ? (prompt[0] as unknown) : prompt;
  const text = stringOf(choice?.text) ?? '';
  // Tokens, several prompts, or a gap to fill: no chat says that.
  if (typeof only !== 'string' || (suffix ?? '') !== '') {
    return { ...facts, flaw: 'unsupported_content', request, answer: {}, record };
  }
  const answer = echo === true && text.startsWith(only) ? text.slice(only.length) : text;
  const messages = [{ role: 'user', content: only }];
  return { ...facts, request: { messages }, answer: { role: 'assistant', content: answer }, record };
}
