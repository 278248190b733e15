/** What is charged for answers that are not translated: images, audio, reranking, moderation. */
import type { Endpoint } from './endpoints.ts';
import type { JsonObject } from './json.ts';
import type { Usage } from './usage.ts';
import type { Tiered } from './reported-tiers.ts';
import type { Units } from './units.ts';
import { withIterations } from './iterations.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from './json.ts';
import { secondsOfSound } from './media-tokens.ts';
import { formNumber } from './multipart.ts';
import { addUsage, openaiUsage, plainUsage, UNKNOWN_USAGE } from './usage.ts';
import { reportedCost } from './reported-cost.ts';
import { requestedTiers } from './reported-tiers.ts';
import { requestedImage, requestedTools } from './requested-tools.ts';
import { searchCount, tokenCount, unitsOf } from './units.ts';

/** The fields of a request that determine its charge. */
interface ChargedRequest {
  readonly endpoint: Endpoint;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly json: { readonly value: JsonObject } | undefined;
}

/** Endpoints that are charged by more than tokens. */
const UNITED = /^(?:images|audio)\./;

/** The largest number of images that a request is assumed to ask for: the answer reports the actual number. */
const MAX_IMAGES = 100;

/** The charged amounts in the request itself: images generated, characters spoken. */
export function requestedUnits({ endpoint, contentType, bytes, json }: ChargedRequest): Units {
  if (endpoint.startsWith('images.')) {
    const n = json ? countOf(json.value.n) : formNumber(bytes, contentType, 'n');
    return { images: Math.min(Math.max(n ?? 1, 1), MAX_IMAGES) };
  }
  if (endpoint !== 'audio.speech') return {};
  return unitsOf({ characters: characters(stringOf(json?.value.input) ?? '') });
}

/** The assumed length of the recording in a request, seconds; `undefined` if it contains none. */
export function recordedSeconds({
  endpoint,
  bytes,
}: Pick<ChargedRequest, 'endpoint' | 'bytes'>): number | undefined {
  return RECORDED.has(endpoint) ? secondsOfSound(bytes.length) : undefined;
}

const RECORDED: ReadonlySet<Endpoint> = new Set(['audio.transcriptions', 'audio.translations']);

/**
 * What a request is charged for besides tokens, as far as it says so itself, or can be assumed, and the service tiers
 * that it asks for.
 */
export function expectedUnits(requested: ChargedRequest): Units & Tiered {
  if (!UNITED.test(requested.endpoint)) {
    const body = requested.json?.value ?? {};
    if (requested.endpoint === 'rerank')
      return { rerankSearches: searchesFor(listOf(body.documents).length) };
    const tiers = requestedTiers(body);
    return body.tools ? { ...tiers, ...requestedTools(body) } : tiers;
  }
  return unitsOf({ ...requestedUnits(requested), seconds: recordedSeconds(requested) });
}

/** A search ranks up to 100 documents. @see https://cohere.com/pricing */
function searchesFor(documents: number): number {
  return Math.max(1, Math.ceil(documents / 100));
}

/**
 * The expected usage of a request, for any expected number of tokens. Limits price a request with several of them, and a
 * request may have many tools: they are read once.
 */
export function expectedUsage(requested: ChargedRequest): (input: number, output: number) => Usage {
  const besides = expectedUnits(requested);
  if (!UNITED.test(requested.endpoint)) {
    const made = requestedImage(requested.json?.value ?? {});
    if (made.length === 0 && Object.keys(besides).length === 0) return plainUsage;
    return (input, output) => withIterations({ ...plainUsage(input, output), ...besides }, made);
  }
  const { seconds, tiers: _, ...units } = besides;
  const isImage = requested.endpoint.startsWith('images.');
  return (input, output) => ({
    ...plainUsage(input, output),
    ...unitsOf({
      ...units,
      outputImage: isImage ? output : undefined,
      // The length of a recording is a guess, as the length of an answer is, and not known without that.
      seconds: output > 0 ? seconds : undefined,
    }),
  });
}

/** Counts characters as code points: a surrogate pair is one. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * The usage in a whole answer, or in its `usage` alone if the rest was not kept.
 * @param requested the amounts in the request, which the answer may correct
 */
export function chargedUsage(endpoint: Endpoint, answer: JsonObject, requested: Units): Usage {
  const made = listOf(answer.data).length;
  const images = requested.images === undefined ? undefined : made || requested.images;
  const reported = reportedTokens(endpoint, answer);
  return {
    ...(reported ?? UNKNOWN_USAGE),
    // Of an image or a recording, the cost may be all that is reported.
    ...reportedCost(objectOf(answer.usage)),
    ...unitsOf({
      ...requested,
      ...reported,
      ...rerankUnits(answer),
      images: images ?? reported?.images,
      seconds: secondsOf(answer),
    }),
  };
}

/** Cohere reports what a ranking is charged by, and no tokens. */
function rerankUnits({ meta }: JsonObject): Units {
  return unitsOf({ rerankSearches: searchCount(objectOf(objectOf(meta).billed_units).search_units) });
}

function reportedTokens(endpoint: Endpoint, { usage, meta }: JsonObject): Usage | undefined {
  const reported = openaiUsage(usage) ?? openaiUsage(objectOf(meta).tokens);
  if (reported && endpoint.startsWith('images.') && reported.output > 0)
    // All output tokens are image tokens unless the answer says otherwise.
    return 'output_tokens_details' in objectOf(usage)
      ? reported
      : { ...reported, outputImage: reported.output };
  if (reported || !isObject(usage)) return reported;
  // Rerankers report only a total, which is their input.
  const total = tokenCount(usage.total_tokens);
  const { untold: _, ...nothing } = UNKNOWN_USAGE;
  return total === undefined ? undefined : { ...nothing, input: total };
}

/** Nothing longer is recorded or transcribed in one request, seconds: a week. */
const MOST_SECONDS = 7 * 24 * 60 * 60;

/** The duration of audio, from the usage or from the answer itself. */
function secondsOf({ usage, duration }: JsonObject): number | undefined {
  const { seconds } = objectOf(usage);
  return amountOf(seconds) ?? amountOf(duration);
}

/** Some servers write numbers as text. */
function amountOf(value: unknown): number | undefined {
  const number = numberOf(typeof value === 'string' ? Number(value) : value);
  return number !== undefined && number > 0 && number <= MOST_SECONDS ? number : undefined;
}

/** The combined `usage` of all events of a streamed answer. */
export function chargedSum(endpoint: Endpoint, usages: readonly JsonObject[], requested: Units): Usage {
  let sum: Usage | undefined;
  for (const usage of usages) sum = addUsage(sum, chargedUsage(endpoint, { usage }, {}));
  return { ...(sum ?? UNKNOWN_USAGE), ...requested };
}
