import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared, WholeAnswer } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { betasFor } from '../../wire/anthropic/betas.ts';
import { anthropicUsage } from '../../wire/anthropic/response.ts';
import { endingOf, finishReason } from '../../wire/endings.ts';
import { ENDPOINTS, placeOf } from '../../wire/endpoints.ts';
import { fittingRelayed } from '../../wire/facts/relayed.ts';
import type { Shape } from '../../wire/facts/shapes.ts';
import { SHAPES } from '../../wire/facts/shapes.ts';
import { applyOverride } from '../../wire/facts/override.ts';
import { fieldOf } from '../../wire/gemini/client-check.ts';
import { countableAt, namedFor } from '../../wire/gemini/names.ts';
import { geminiUsage } from '../../wire/gemini/response.ts';
import { readingFirst } from '../../wire/json-ahead.ts';
import type { Issued } from '../../wire/parts/issued.ts';
import type { GivenBack } from '../../wire/relayed/given-back.ts';
import { callsIn, finishOf } from '../../wire/interactions/status.ts';
import { interactionUsage } from '../../wire/interactions/usage.ts';
import { exactly } from '../../wire/json-exact.ts';
import { countOf, isObject, listOf, numberOf, objectOf, PIECE_BOUNDS, stringOf } from '../../wire/json.ts';
import { messageIn, ollamaFinish, ollamaUsage } from '../../wire/ollama/response.ts';
import { spliceFormModel } from '../../wire/multipart.ts';
import { reportedUsage, vendorUsage } from '../../wire/openai/response.ts';
import { inBase64, inNumbers } from '../../wire/openai/embeddings.ts';
import { rememberSignatures, withSignedCalls } from '../../wire/openai/signed-calls.ts';
import { askingEdit, askingOptions } from '../../wire/openai/unrequested-usage.ts';
import { applyQuirks } from '../../wire/quirks.ts';
import { givenBack } from '../../wire/relayed/given-back.ts';
import { sealsInAnswer, sealsInEvent } from '../../wire/relayed/seals.ts';
import { responseEnding, responseFinish } from '../../wire/responses/response.ts';
import type { Edit } from '../../wire/splice.ts';
import { modelEdit, splice } from '../../wire/splice.ts';
import { openaiUsage } from '../../wire/usage.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';
import { parseAnswer, parseRewritable } from './answer.ts';
import { checkAnswer } from './check.ts';
import { issuedFor } from './issuer.ts';
import { judge, judgeCut, judgeEnding, worstEnding } from './judge.ts';
import { LinesFold } from './lines-fold.ts';
import { RelayFold } from './relay-fold.ts';
import { restoredEvents } from '../../redact/outward/streams/shapes.ts';
import { RestoringFold } from './restoring-fold.ts';
import { wholeAsStream } from './whole-as-stream.ts';

/**
 * Client and provider use the same protocol: bytes pass unchanged. In the request, the model name changes, and fields
 * that the vendor is known to reject; in the answer, nothing.
 */
export const relay: Lane = {
  kind: 'relay',
  *prepare(given: Inbound, context: LaneContext): Steps<Prepared> {
    const { provider, model, unsealed, memory } = context;
    const { chained } = given;
    // A provider that has stored the earlier conversation is not sent it again, unless it no longer finds it.
    const chains = chained?.issuer === provider.name && unsealed !== true;
    const inbound = chains ? chained.asSent : given;
    const { endpoint, headers, json } = inbound;
    const quirks = provider.quirks(model);
    const issued = issuedFor(provider, model, context);
    const taking = { quirks, model, expanded: inbound.expanded === true };
    const own = json && GIVEN_BACK.has(endpoint) ? ownRequest(endpoint, json, issued, taking) : UNCHANGED;
    const value = own.request ?? json?.value;
    const fitted = value && changedFor(endpoint, value, { quirks, model });
    // Numbers keep their digits when the request is serialised again.
    const exact = fitted && json && !own.request ? exactly(json.text, json.value) : value;
    const changed = exact && exact !== value ? changedFor(endpoint, exact, { quirks, model }) : fitted;
    const { headers: taken, dropped: left } = takenHeaders(headers, quirks);
    const passing = passingOf(endpoint, quirks);
    const options = asksUsage(inbound, context) ? askingOptions(json!.value) : undefined;
    const written = changed?.request ?? own.request;
    const asking = options && !written ? yield* askingEdit(inbound.bytes, json!.value, options) : undefined;
    const hidesUsage = options !== undefined && (written !== undefined || asking !== undefined);
    const asked = hidesUsage ? { stream_options: options } : {};
    const placed = placedFor(inbound, written, provider.counts(model), model);
    const body = placed
      ? yield* writeBody(placed, inbound.bytes.length)
      : written
        ? yield* writeBody({ ...written, ...asked, model }, inbound.bytes.length)
        : yield* edited(inbound, model, asking);
    // The body is copied once more when it is sent.
    yield;
    return {
      endpoint,
      query: inbound.query,
      body,
      contentType: inbound.contentType,
      // A compressed stream could not end with a readable error, and passed-through data is searched for usage.
      headers: inbound.stream || !ENDPOINTS[endpoint].understood ? uncompressed(taken) : taken,
      dropped: [...own.dropped, ...(changed?.dropped ?? []), ...left],
      asksUsage: hidesUsage,
      sealed: own.sealed || chains,
      whole: (text, target) => relayedWhole(text, target, { endpoint, json, quirks, issued, memory }),
      wholeAsStream: (text, target) =>
        relayedAsStream(text, target, context.redaction?.asked ?? given, context),
      tap(maxBytes) {
        const tap = new Tap(passing, maxBytes, answersOf(endpoint, json?.value ?? {}));
        // The client does not wait for usage that is only needed for the record.
        tap.awaitsUsage = objectOf(json?.value.stream_options).include_usage === true;
        tap.watch = (event) => {
          for (const seal of sealsInEvent(endpoint, event)) issued.note(seal);
          if (wantsSignatures(quirks)) rememberSignatures(event, memory);
        };
        return tap;
      },
      fold(tap, target) {
        const fold = new RelayFold(tap, target, passing.terminator, hidesUsage);
        const restorer = context.redaction?.restorer;
        const restoring = restorer ? new RestoringFold(fold, restoredEvents(endpoint, restorer)) : fold;
        return inbound.form === 'lines' ? new LinesFold(restoring) : restoring;
      },
    };
  },
};

/** The facts about a request that reading its answer needs. */
interface Relayed {
  readonly endpoint: Endpoint;
  readonly json: Inbound['json'];
  readonly quirks: Quirks;
  readonly issued: Issued;
  readonly memory: LaneContext['memory'];
}

function* relayedWhole(
  text: string,
  target: string,
  { endpoint, json, quirks, issued, memory }: Relayed,
): Steps<WholeAnswer> {
  const value = yield* parseWhole(text, target);
  for (const seal of sealsInAnswer(endpoint, value)) issued.note(seal);
  if (wantsSignatures(quirks)) rememberSignatures(value, memory);
  const answer = yield* readWhole(value, target, endpoint, quirks);
  const vectors = endpoint === 'embeddings' && json ? inRequestedForm(value, json.value) : undefined;
  return vectors ? { ...answer, text: yield* writeBody(vectors, text.length) } : answer;
}

function* relayedAsStream(
  text: string,
  target: string,
  asked: Inbound,
  context: LaneContext,
): Steps<string | undefined> {
  return wholeAsStream(asked, context, yield* parseRewritable(text, target));
}

/** The headers without those values of `anthropic-beta` that the provider rejects. */
function takenHeaders(
  headers: Inbound['headers'],
  { betas }: Quirks,
): { headers: Inbound['headers']; dropped: readonly string[] } {
  if (betas === undefined || headers['anthropic-beta'] === undefined) return { headers, dropped: [] };
  const { 'anthropic-beta': asked, ...others } = headers;
  const { kept, dropped } = betasFor(asked, betas);
  return { headers: kept.length > 0 ? { ...others, 'anthropic-beta': kept.join(',') } : others, dropped };
}

/** Vectors in the requested form, if the server returned the other one. */
function inRequestedForm(
  answer: JsonObject,
  { encoding_format: format }: JsonObject,
): JsonObject | undefined {
  if (format === 'base64') return inBase64(answer);
  return format === undefined || format === null || format === 'float' ? inNumbers(answer) : undefined;
}

function uncompressed(headers: Inbound['headers']): Inbound['headers'] {
  const { 'accept-encoding': _, ...others } = headers;
  return others;
}

/** The request as the vendor accepts it, and what was left out; `undefined` when no change is needed. */
function changedFor(endpoint: Endpoint, value: JsonObject, known: Known): ReturnType<typeof applyQuirks> {
  const { quirks } = known;
  const fitted = fittedFor(endpoint, value, known);
  const own = quirks.override && applyOverride(fitted?.request ?? value, quirks.override);
  return own ? { request: own.body, dropped: [...(fitted?.dropped ?? []), ...own.dropped] } : fitted;
}

/** The facts about the model. */
interface Known {
  readonly quirks: Quirks;
  /** The upstream name. */
  readonly model: string;
}

function isShape(endpoint: Endpoint): endpoint is Shape {
  return Object.hasOwn(SHAPES, endpoint);
}

function fittedFor(
  endpoint: Endpoint,
  value: JsonObject,
  { quirks, model }: Known,
): ReturnType<typeof applyQuirks> {
  const shape = endpoint === 'completions' ? 'chat' : endpoint;
  if (!isShape(shape)) return undefined;
  const taken = fittingRelayed(value, shape, quirks, model);
  const changed = shape === 'chat' ? applyQuirks(taken.body, quirks) : undefined;
  if (changed === undefined && taken.body === value) return undefined;
  return {
    request: changed?.request ?? taken.body,
    dropped: [...taken.dropped, ...(changed?.dropped ?? [])],
  };
}

/** Whether usage is requested for this stream in addition to what its client requests. */
function asksUsage({ endpoint, stream, json }: Inbound, { provider, model, usage }: LaneContext): boolean {
  if (usage !== 'ask' || !stream || !json || !CHOOSING.includes(endpoint)) return false;
  return !provider.quirks(model).drops?.includes('stream_options');
}

/** The request's bytes with the necessary edits: the model's name, and the request for usage. */
function* edited(
  { bytes, json, contentType, model }: Inbound,
  upstream: string,
  asking: Edit | undefined,
): Steps<Uint8Array<ArrayBuffer>> {
  if (!json) return model === upstream ? bytes : spliceFormModel(bytes, contentType, upstream);
  const naming = model !== upstream && json.modelAt ? modelEdit(json.modelAt, upstream) : undefined;
  const edits = [naming, asking].filter((edit) => edit !== undefined);
  return edits.length > 0 ? yield* splice(bytes, edits) : bytes;
}

/** Endpoints whose requests contain earlier answers. */
const GIVEN_BACK: ReadonlySet<Endpoint> = new Set([
  'chat',
  'messages',
  'responses',
  'responses.compact',
  'gemini',
]);

const UNCHANGED: GivenBack = { request: undefined, dropped: [], sealed: false };

/** The request without what other providers issued. If it changes, numbers keep their digits nevertheless. */
function ownRequest(
  endpoint: Endpoint,
  { text, value }: NonNullable<Inbound['json']>,
  issued: Issued,
  known: Giving,
): GivenBack {
  const given = givenOf(endpoint, value, issued, known);
  const exact = given.request ? exactly(text, value) : value;
  return exact === value ? given : givenOf(endpoint, exact, issued, known);
}

interface Giving extends Known {
  readonly expanded: boolean;
}

function givenOf(endpoint: Endpoint, value: JsonObject, issued: Issued, known: Giving): GivenBack {
  const { quirks, expanded } = known;
  const model = quirks.like ?? known.model;
  const given = givenBack(endpoint, value, issued, { keeps: quirks.keeps ?? [], model, expanded });
  if (endpoint !== 'chat' || !wantsSignatures(quirks)) return given;
  const kept = given.request ?? value;
  const signed = withSignedCalls(kept, issued.view, model);
  return signed === kept ? given : { ...given, request: signed, sealed: true };
}

/** Whether it is Google's own OpenAI-compatible endpoint. */
function wantsSignatures({ keeps }: Quirks): boolean {
  return keeps?.includes('extra_content') ?? false;
}

/** Endpoints whose answers have choices. */
const CHOOSING: readonly Endpoint[] = ['chat', 'completions'];

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
  if (endpoint.startsWith('gemini'))
    return { text: undefined, finish: null, usage: geminiUsage(value.usageMetadata) };
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
    usage: vendorUsage(reportedUsage(value), quirks),
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
  return { text: undefined, finish: responseFinish(value), usage: openaiUsage(value.usage) };
}

/** The answer to a blocked prompt has no candidates. */
function readContent(value: JsonObject, target: string): WholeAnswer {
  const candidates = listOf(value.candidates).map(objectOf);
  for (const each of candidates) judgeEnding(endingOf('gemini', each.finishReason), target);
  const [first] = candidates;
  const parts = listOf(objectOf(first?.content).parts);
  const called = parts.some((part) => isObject(objectOf(part).functionCall));
  const finish = first ? finishReason('gemini', first.finishReason, called && 'tools') : 'content_filter';
  return { text: undefined, finish, usage: geminiUsage(value.usageMetadata) };
}

function readInteraction(value: JsonObject, target: string): WholeAnswer {
  const finish = finishOf(value.status, callsIn(value.steps));
  judgeEnding(endingOf('chat', finish), target);
  return { text: undefined, finish, usage: interactionUsage(value.usage) };
}

/** An answer of Ollama's own API, including embeddings, which have no done reason. */
function readOllama(value: JsonObject, target: string): WholeAnswer {
  const called = listOf(messageIn(value).tool_calls).length > 0;
  const finish = ollamaFinish(value, called);
  judgeEnding(endingOf('chat', finish), target);
  return { text: undefined, finish, usage: ollamaUsage(value) };
}

/** The number of requested answers. */
function answersOf(endpoint: Endpoint, value: JsonObject): number {
  if (endpoint !== 'gemini') return numberOf(value.n) ?? 1;
  const config = objectOf(fieldOf(value, 'generationConfig'));
  return Math.max(1, countOf(fieldOf(config, 'candidateCount')) ?? 1);
}

/**
 * A request whose path names the model, in the provider's form; `undefined` if nothing changes, or it is another kind
 * of request.
 */
function placedFor(
  { endpoint, json }: Inbound,
  written: JsonObject | undefined,
  counts: string | undefined,
  model: string,
): JsonObject | undefined {
  if (!json || placeOf(endpoint) !== 'model') return undefined;
  const place = (body: JsonObject): JsonObject | undefined => {
    const whole =
      endpoint === 'gemini.count_tokens'
        ? countableAt(counts === 'vertex' ? 'vertex' : 'gemini', body, model)
        : undefined;
    return namedFor(whole ?? body, model) ?? whole;
  };
  if (written) return place(written) ?? written;
  return place(json.value) && place(exactly(json.text, json.value));
}

function unusable(target: string, state: string): ProxyError {
  return new ProxyError('malformed', `Cannot use the answer of ${target}: ${state}`, { target });
}
