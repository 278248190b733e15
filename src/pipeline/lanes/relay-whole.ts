import type { Steps } from '../../turns.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Issued } from '../../wire/parts/issued.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Inbound } from '../inbound.ts';
import type { LaneContext, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { anthropicUsage } from '../../wire/anthropic/usage.ts';
import { endingOf, finishReason } from '../../wire/endings.ts';
import { contentUsage } from '../../wire/gemini/groundings.ts';
import { callsIn, finishOf } from '../../wire/interactions/status.ts';
import { wholeInteractionUsage } from '../../wire/interactions/usage.ts';
import { readingFirst } from '../../wire/json-ahead.ts';
import { writeBody } from '../../wire/json-write.ts';
import { isObject, listOf, objectOf, PIECE_BOUNDS, stringOf } from '../../wire/json.ts';
import { messageIn, ollamaFinish, ollamaUsage } from '../../wire/ollama/response.ts';
import { inBase64, inNumbers } from '../../wire/openai/embeddings.ts';
import { answerUsage } from '../../wire/openai/response.ts';
import { rememberSignatures, wantsSignatures } from '../../wire/openai/signed-calls.ts';
import { sealsInAnswer } from '../../wire/relayed/seals.ts';
import { responseEnding, responseFinish, responseUsage } from '../../wire/responses/response.ts';
import { parseAnswer } from './answer.ts';
import { checkAnswer } from './check.ts';
import { judge, judgeCut, judgeEnding, worstEnding } from './judge.ts';

/** The facts about a request that reading its answer needs. */
export interface Relayed {
  readonly endpoint: Endpoint;
  readonly json: Inbound['json'];
  readonly quirks: Quirks;
  readonly issued: Issued;
  readonly memory: LaneContext['memory'];
}

/**
 * Reads a whole answer, which passes unchanged unless its vectors are in another form than requested.
 * @throws ProxyError when it cannot be used
 */
export function* relayedWhole(
  text: string,
  target: string,
  { endpoint, json, quirks, issued, memory }: Relayed,
): Steps<WholeAnswer> {
  const value = yield* parseWhole(text, target);
  for (const seal of sealsInAnswer(endpoint, value)) issued.note(seal);
  if (wantsSignatures(quirks)) rememberSignatures(value, memory);
  const answer = yield* readWhole(value, target, endpoint, quirks);
  const vectors = endpoint === 'embeddings' && json ? inRequestedForm(value, json.value) : undefined;
  return vectors ? { ...answer, text: yield* writeBody(vectors) } : answer;
}

function* parseWhole(text: string, target: string): Steps<JsonObject> {
  const value = yield* parseAnswer(text, target);
  if (!isObject(value)) throw unusable(target, 'it is not a JSON object');
  return value;
}

function* readWhole(
  value: JsonObject,
  target: string,
  endpoint: Endpoint,
  quirks: Quirks,
): Steps<WholeAnswer> {
  judge(value, target);
  checkAnswer(endpoint, value, target);
  if (endpoint === 'messages') return readMessage(value, target);
  if (endpoint === 'responses') return readResponse(value, target);
  if (endpoint === 'gemini') return readContent(value, target);
  if (endpoint === 'gemini.interactions') return readInteraction(value, target);
  if (endpoint.startsWith('ollama')) return readOllama(value, target);
  if (endpoint.startsWith('gemini')) return { text: undefined, finish: null, usage: contentUsage(value) };
  const choices = listOf(value.choices).map(objectOf);
  const endings = choices.map((choice) => endingOf('chat', finishIn(choice)));
  for (const [at, ending] of endings.entries()) {
    judgeEnding(ending, target);
    if (ending) continue;
    const calls = callsOf(choices[at]!);
    const texts = calls.map(({ function: fn }) => fn.arguments);
    yield* readingFirst(texts, PIECE_BOUNDS, () => judgeCut(ending, calls, target));
  }
  return {
    text: undefined,
    finish: worstEnding(endings)?.finish ?? null,
    usage: answerUsage(value, quirks),
  };
}

/** The provider's finish reason of a choice; for tool calls, some have none, and OpenAI says "stop" if it was forced. */
function finishIn({ finish_reason: reason, message }: JsonObject): unknown {
  const { tool_calls: calls, function_call: legacy } = objectOf(message);
  if (listOf(calls).length === 0 && !isObject(legacy)) return reason;
  return reason === '' || endingOf('chat', reason)?.finish === 'stop' ? 'tool_calls' : reason;
}

/** The calls of a choice whose arguments are text. */
function callsOf({ message }: JsonObject) {
  return listOf(objectOf(message).tool_calls).map((call) => {
    const text = stringOf(objectOf(objectOf(call).function).arguments);
    return { function: { arguments: text ?? '{}' } };
  });
}

function readMessage(value: JsonObject, target: string): WholeAnswer {
  judgeEnding(endingOf('messages', value.stop_reason), target);
  const finish = finishReason('messages', value.stop_reason);
  return { text: undefined, finish, usage: anthropicUsage(value.usage) };
}

function readResponse(value: JsonObject, target: string): WholeAnswer {
  judgeEnding(responseEnding(value), target);
  return { text: undefined, finish: responseFinish(value), usage: responseUsage(value) };
}

/** The answer to a blocked prompt has no candidates. */
function readContent(value: JsonObject, target: string): WholeAnswer {
  const candidates = listOf(value.candidates).map(objectOf);
  for (const each of candidates) judgeEnding(endingOf('gemini', each.finishReason), target);
  const [first] = candidates;
  const parts = listOf(objectOf(first?.content).parts);
  const called = parts.some((part) => isObject(objectOf(part).functionCall));
  const finish = first ? finishReason('gemini', first.finishReason, called && 'tools') : 'content_filter';
  return { text: undefined, finish, usage: contentUsage(value) };
}

function readInteraction(value: JsonObject, target: string): WholeAnswer {
  const finish = finishOf(value.status, callsIn(value.steps));
  judgeEnding(endingOf('chat', finish), target);
  return { text: undefined, finish, usage: wholeInteractionUsage(value) };
}

/** An answer of Ollama's own API, including embeddings, which have no done reason. */
function readOllama(value: JsonObject, target: string): WholeAnswer {
  const called = listOf(messageIn(value).tool_calls).length > 0;
  const finish = ollamaFinish(value, called);
  judgeEnding(endingOf('chat', finish), target);
  return { text: undefined, finish, usage: ollamaUsage(value) };
}

/** Vectors in the requested form, if the server returned the other one. */
function inRequestedForm(
  answer: JsonObject,
  { encoding_format: format }: JsonObject,
): JsonObject | undefined {
  if (format === 'base64') return inBase64(answer);
  return format === undefined || format === null || format === 'float' ? inNumbers(answer) : undefined;
}

function unusable(target: string, state: string): ProxyError {
  return new ProxyError('malformed', `Cannot use the answer of ${target}: ${state}`, { target });
}
