/** A log record of any known kind, as filters and conversations use it. */
import { RECORD_VERSION } from '../../logs/record.ts';
import { isObject, numberOf, objectOf, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Entry, Facts } from './facts.ts';
import { firstChoice, NO_FACTS, tokenCount, verdictOf } from './facts.ts';
import { foreignEntry } from './external-datasets.ts';
import { chatRanTools, hiddenFromClient } from './hidden.ts';
import { pythonEntry } from './proxy-api-log.ts';
import { isForeign, translated } from './translated.ts';

/** The record as an entry, or `undefined` when its kind is unknown. */
export function entryOf(record: JsonObject): Entry | undefined {
  const facts = factsOf(record);
  return facts ? proxyEntry(record, facts) : (pythonEntry(record) ?? foreignEntry(record));
}

/** The facts of a record of this proxy, or of its head; `undefined` when it is not one. */
export function factsOf(record: JsonObject): Facts | undefined {
  const { v, ts, endpoint, outcome, status, finish } = record;
  // Later versions keep the meaning of these fields, or must not be read by this program.
  if (
    v !== RECORD_VERSION ||
    typeof ts !== 'string' ||
    typeof endpoint !== 'string' ||
    typeof outcome !== 'string'
  )
    return undefined;
  const ended = { outcome, status: numberOf(status) ?? 0, finish: stringOf(finish) ?? null };
  const { failure, reject } = verdictOf(endpoint, ended);
  // Field by field, since this runs for every record: copying objects took a twentieth of an export.
  return {
    failure,
    reject,
    ts,
    endpoint,
    status: ended.status,
    finish: ended.finish,
    id: stringOf(record.id) ?? null,
    model: stringOf(record.model) ?? '',
    upstreamModel: stringOf(record.upstream_model) ?? null,
    provider: stringOf(record.provider) ?? null,
    key: stringOf(record.key) ?? null,
    user: stringOf(record.user) ?? userOf(record.request),
    tags: tagsOf(record.tags ?? objectOf(record.request).metadata),
    conversation: stringOf(record.conversation) ?? null,
    inputTokens: tokenCount(record.input_tokens),
    outputTokens: tokenCount(record.output_tokens),
    latencyMs: numberOf(record.latency_ms) ?? null,
    cost: numberOf(record.cost) ?? null,
    resumed: Array.isArray(record.parts),
  };
}

/** Older lines have the end user in the request only. */
function userOf(request: unknown): string | null {
  if (!isObject(request)) return null;
  return (
    stringOf(request.user) ??
    stringOf(request.safety_identifier) ??
    stringOf(objectOf(request.metadata).user_id) ??
    null
  );
}

function tagsOf(tags: unknown): Facts['tags'] {
  if (!isObject(tags)) return NO_FACTS.tags;
  return Object.fromEntries(
    Object.entries(tags).filter((tag): tag is [string, string] => typeof tag[1] === 'string'),
  );
}

function proxyEntry(record: JsonObject, facts: Facts): Entry {
  const { request, response } = record;
  const { endpoint } = facts;
  const logged = isObject(request) && response !== undefined;
  // A failed request may have no response at all: that is a missing answer rather than a gap in the log.
  const missing = isObject(request) && record.content === 'full' && !listsResponse(record.omitted);
  const gone = record.content === 'expired' ? 'expired' : missing ? 'no_answer' : 'not_logged';
  const reject = facts.reject ?? (logged ? undefined : gone);
  if (reject || !isObject(request))
    return { ...facts, reject: reject ?? 'not_logged', request: {}, answer: {}, record };
  const lost = hiddenFromClient(record.answer_dropped, endpoint);
  if (lost.content) return { ...facts, reject: 'unsupported_content', request: {}, answer: {}, record };
  if (isForeign(endpoint)) {
    const entry = translated(endpoint, request, response, facts);
    return { ...entry, record, providerTools: lost.tools || (entry.providerTools ?? false) };
  }
  const choice = isObject(response) ? firstChoice(response.choices) : undefined;
  if (endpoint === 'chat') {
    const answer = isObject(choice?.message) ? choice.message : {};
    const providerTools = lost.tools || chatRanTools(request, objectOf(response), answer);
    return { ...facts, request, answer, record, providerTools };
  }
  return completionEntry(facts, record, request, choice);
}

function listsResponse(omitted: unknown): boolean {
  return Array.isArray(omitted) && omitted.includes('response');
}

/** A legacy completion, as the equivalent chat. */
function completionEntry(
  facts: Facts,
  record: JsonObject,
  request: JsonObject,
  choice: JsonObject | undefined,
): Entry {
  const { prompt, echo, suffix } = request;
  const only = Array.isArray(prompt) && prompt.length === 1 ? (prompt[0] as unknown) : prompt;
  const text = stringOf(choice?.text) ?? '';
  // Tokens, several prompts, or infilling: no chat is equivalent.
  if (typeof only !== 'string' || (suffix ?? '') !== '') {
    return { ...facts, reject: 'unsupported_content', request, answer: {}, record };
  }
  const answer = echo === true && text.startsWith(only) ? text.slice(only.length) : text;
  const messages = [{ role: 'user', content: only }];
  return { ...facts, request: { messages }, answer: { role: 'assistant', content: answer }, record };
}
