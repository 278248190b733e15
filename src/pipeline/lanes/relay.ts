import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import { writeBody } from '../../wire/json-write.ts';
import type { Quirks } from '../../wire/quirks.ts';
import type { Steps } from '../../turns.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane, LaneContext, Prepared } from './lane.ts';
import { betasFor } from '../../wire/anthropic/betas.ts';
import { ENDPOINTS, placeOf } from '../../wire/endpoints.ts';
import { fromMistral } from '../../wire/facts/mistral-dialect.ts';
import { fittingRelayed } from '../../wire/facts/relayed.ts';
import type { Shape } from '../../wire/facts/shapes.ts';
import { SHAPES } from '../../wire/facts/shapes.ts';
import { applyOverride } from '../../wire/facts/override.ts';
import { fieldOf } from '../../wire/gemini/client-check.ts';
import { countableAt, namedFor } from '../../wire/gemini/names.ts';
import type { Issued } from '../../wire/parts/issued.ts';
import type { OwnHistory } from '../../wire/relayed/own-history.ts';
import { exactly } from '../../wire/json-exact.ts';
import { countOf, numberOf, objectOf } from '../../wire/json.ts';
import { spliceFormModel } from '../../wire/multipart.ts';
import { rememberSignatures, wantsSignatures, withSignedCalls } from '../../wire/openai/signed-calls.ts';
import { askingEdit, askingOptions } from '../../wire/openai/unrequested-usage.ts';
import { applyQuirks } from '../../wire/quirks.ts';
import { ownHistory } from '../../wire/relayed/own-history.ts';
import { sealsInEvent } from '../../wire/relayed/seals.ts';
import type { Edit } from '../../wire/splice.ts';
import { modelEdit, splice } from '../../wire/splice.ts';
import { passingOf } from '../streams/passing.ts';
import { Tap } from '../streams/tap.ts';
import { parseRewritable } from './answer.ts';
import { issuedFor } from './issuer.ts';
import { LinesFold } from './lines-fold.ts';
import { RelayFold } from './relay-fold.ts';
import { relayedWhole } from './relay-whole.ts';
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
    const { signsCalls } = context;
    const taking = { quirks, model, expanded: inbound.expanded === true, signsCalls };
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
    const added = hidesUsage ? { stream_options: options } : {};
    const placed = placedFor(inbound, written, provider.counts(model), model);
    const body = placed
      ? yield* writeBody(placed)
      : written
        ? yield* writeBody({ ...written, ...added, model })
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
        relayedAsStream(text, target, context.redaction?.requested ?? given, context),
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

function* relayedAsStream(
  text: string,
  target: string,
  requested: Inbound,
  context: LaneContext,
): Steps<Uint8Array<ArrayBuffer> | undefined> {
  return yield* wholeAsStream(requested, context, yield* parseRewritable(text, target));
}

/** The headers without those values of `anthropic-beta` that the provider rejects. */
function takenHeaders(
  headers: Inbound['headers'],
  { betas }: Quirks,
): { headers: Inbound['headers']; dropped: readonly string[] } {
  if (betas === undefined || headers['anthropic-beta'] === undefined) return { headers, dropped: [] };
  const { 'anthropic-beta': wanted, ...others } = headers;
  const { kept, dropped } = betasFor(wanted, betas);
  return { headers: kept.length > 0 ? { ...others, 'anthropic-beta': kept.join(',') } : others, dropped };
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
  const spelled = shape === 'chat' ? fromMistral(value, quirks) : value;
  const taken = fittingRelayed(spelled, shape, quirks, model);
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

const UNCHANGED: OwnHistory = { request: undefined, dropped: [], sealed: false };

/** The request without what other providers issued. If it changes, numbers keep their digits nevertheless. */
function ownRequest(
  endpoint: Endpoint,
  { text, value }: NonNullable<Inbound['json']>,
  issued: Issued,
  known: Giving,
): OwnHistory {
  const given = givenOf(endpoint, value, issued, known);
  const exact = given.request ? exactly(text, value) : value;
  return exact === value ? given : givenOf(endpoint, exact, issued, known);
}

interface Giving extends Known {
  readonly expanded: boolean;
  readonly signsCalls: true | undefined;
}

function givenOf(endpoint: Endpoint, value: JsonObject, issued: Issued, known: Giving): OwnHistory {
  const { quirks, expanded, signsCalls } = known;
  const model = quirks.like ?? known.model;
  const given = ownHistory(endpoint, value, issued, {
    keeps: quirks.keeps ?? [],
    model,
    expanded,
    signsCalls,
  });
  if (endpoint !== 'chat' || !wantsSignatures(quirks)) return given;
  const kept = given.request ?? value;
  const signed = withSignedCalls(kept, issued.view, model, signsCalls);
  return signed === kept ? given : { ...given, request: signed, sealed: true };
}

/** Endpoints whose answers have choices. */
const CHOOSING: readonly Endpoint[] = ['chat', 'completions'];

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
