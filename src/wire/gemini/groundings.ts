/**
 * What grounding with Google's search or maps is charged by.
 * @see https://ai.google.dev/gemini-api/docs/google-search#pricing
 */
import type { JsonObject } from '../json.ts';
import type { Units } from '../units.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { unitsOf } from '../units.ts';
import { withUnits } from '../usage.ts';
import { geminiUsage } from './usage.ts';

/** Queries come from outside and must not create arbitrarily large sets. */
const MAX_QUERIES = 1_000;

/** The queries of all candidates, each counted once: a stream may repeat them. */
export class Groundings {
  readonly #web = new Set<string>();
  readonly #maps = new Set<string>();
  #mapped = false;

  /** @param answer a whole answer, or one event of a stream */
  add({ candidates, serverContent }: JsonObject): void {
    for (const candidate of [...listOf(candidates), serverContent]) {
      const { groundingMetadata: metadata } = objectOf(candidate);
      if (isObject(metadata)) this.#read(metadata);
    }
  }

  get units(): Units {
    // A map may be used without a query.
    return unitsOf({ webSearches: this.#web.size, mapSearches: Math.max(this.#maps.size, +this.#mapped) });
  }

  #read({ webSearchQueries, groundingChunks, googleMapsWidgetContextToken: widget }: JsonObject): void {
    const chunks = listOf(groundingChunks).map(objectOf);
    const mapped = typeof widget === 'string' || chunks.some(({ maps }) => isObject(maps));
    this.#mapped ||= mapped;
    const queries = mapped && !chunks.some(({ web }) => isObject(web)) ? this.#maps : this.#web;
    for (const query of listOf(webSearchQueries))
      if (typeof query === 'string' && query !== '' && queries.size < MAX_QUERIES) queries.add(query);
  }
}

/** The usage in a whole answer of generateContent. */
export function contentUsage(answer: JsonObject): Usage | undefined {
  const groundings = new Groundings();
  groundings.add(answer);
  return withUnits(geminiUsage(answer.usageMetadata), groundings.units);
}
