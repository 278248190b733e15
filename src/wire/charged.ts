/** What is charged for answers that pass unread: images, audio, reranking, moderation. */
import type { Endpoint } from './endpoints.ts';
import type { JsonObject } from './json.ts';
import type { Units, Usage } from './usage.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from './json.ts';
import { formNumber } from './multipart.ts';
import { addUsage, openaiUsage, plainUsage, unitsOf, UNTOLD } from './usage.ts';

/** A request as far as its charge goes by it. */
interface Asked {
  readonly endpoint: Endpoint;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly json: { readonly value: JsonObject } | undefined;
}

/** Endpoints that are charged by more than tokens. */
const UNITED = /^(?:images|audio)\./;

/** Most images that one request is taken to ask for: the answer tells of fewer. */
const MAX_IMAGES = 100;

/** What the request itself says it is charged for: images made, characters spoken. */
export function askedUnits({ endpoint, contentType, bytes, json }: Asked): Units {
  if (endpoint.startsWith('images.')) {
    const n = json ? countOf(json.value.n) : formNumber(bytes, contentType, 'n');
    return { images: Math.min(Math.max(n ?? 1, 1), MAX_IMAGES) };
  }
  if (endpoint !== 'audio.speech') return {};
  return unitsOf({ characters: characters(stringOf(json?.value.input) ?? '') });
}

/** What a request will use, as far as it is known before. @param input tokens, about @param output the same */
export function expectedUsage(asked: Asked, input: number, output: number): Usage {
  const usage = plainUsage(input, output);
  if (!UNITED.test(asked.endpoint)) return usage;
  const outputImage = asked.endpoint.startsWith('images.') ? output : undefined;
  return { ...usage, ...unitsOf({ ...askedUnits(asked), outputImage }) };
}

/** Characters as people count them: a pair of surrogates is one. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * What a whole answer says, or its `usage` alone where the rest was not kept.
 * @param asked what the request says, which an answer may say better
 */
export function chargedUsage(endpoint: Endpoint, answer: JsonObject, asked: Units): Usage {
  const made = listOf(answer.data).length;
  const images = asked.images === undefined ? undefined : made || asked.images;
  const told = toldTokens(endpoint, answer);
  return { ...(told ?? UNTOLD), ...unitsOf({ ...asked, ...told, images, seconds: secondsOf(answer) }) };
}

function toldTokens(endpoint: Endpoint, { usage, meta }: JsonObject): Usage | undefined {
  const told = openaiUsage(usage) ?? openaiUsage(objectOf(meta).tokens);
  if (told && endpoint.startsWith('images.') && told.output > 0)
    // All that comes out are images, unless it is told otherwise.
    return 'output_tokens_details' in objectOf(usage) ? told : { ...told, outputImage: told.output };
  if (told || !isObject(usage)) return told;
  // Rerankers tell one sum, which is what they read.
  const total = countOf(usage.total_tokens);
  const { untold: _, ...nothing } = UNTOLD;
  return total === undefined ? undefined : { ...nothing, input: total };
}

/** How long the audio was: told by the usage, or by the answer itself. */
function secondsOf({ usage, duration }: JsonObject): number | undefined {
  const { seconds } = objectOf(usage);
  return amountOf(seconds) ?? amountOf(duration);
}

/** Some servers write numbers as text. */
function amountOf(value: unknown): number | undefined {
  const number = numberOf(typeof value === 'string' ? Number(value) : value);
  return number !== undefined && Number.isFinite(number) && number > 0 ? number : undefined;
}

/** What the `usage` of the events of a streamed answer say together. */
export function chargedSum(endpoint: Endpoint, usages: readonly JsonObject[], asked: Units): Usage {
  let sum: Usage | undefined;
  for (const usage of usages) sum = addUsage(sum, chargedUsage(endpoint, { usage }, {}));
  return { ...(sum ?? UNTOLD), ...asked };
}
