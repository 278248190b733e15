/** The sources of an answer for Gemini's clients. */
import type { JsonObject } from '../json.ts';
import type { Annotation, HostedCallPart, Source } from '../parts/part.ts';
import { listOf, objectOf, parseJson, stringOf } from '../json.ts';

/** Collects the sources of one candidate. */
export class Grounding {
  readonly #chunks: JsonObject[] = [];
  /** The indexes of the grounding chunks, by identity. */
  readonly #places = new Map<string, number>();
  readonly #notes: { readonly start: number; readonly end: number; readonly chunk: number }[] = [];
  readonly #queries: string[] = [];

  annotate(note: Annotation): void {
    if (note.type === 'url_citation') {
      const { url, title, start_index: start, end_index: end } = note.url_citation;
      const chunk = this.#chunk(url, { web: { uri: url, title } });
      if (end > start) this.#notes.push({ start, end, chunk });
      return;
    }
    const { title, cited_text: text, start_index: start, end_index: end } = note;
    const context = { ...(title === null ? {} : { title }), text };
    const chunk = this.#chunk(`document ${note.document} ${text}`, { retrievedContext: context });
    if (end > start) this.#notes.push({ start, end, chunk });
  }

  /** Adds a search. @returns whether it is known what was searched for */
  searched({ input }: HostedCallPart): boolean {
    const { query, queries } = objectOf(parseJson(input));
    const texts = listOf(queries).filter((each) => typeof each === 'string');
    const found = texts.length > 0 ? texts : [stringOf(query) ?? ''].filter(Boolean);
    this.#queries.push(...found);
    return found.length > 0;
  }

  /** Adds a search result. */
  found(sources: readonly Source[]): void {
    for (const { url, title } of sources) this.#chunk(url, { web: { uri: url, title } });
  }

  /** @param text the whole text of the answer, which positions refer to @returns `undefined` if there are no sources */
  result(text: string): JsonObject | undefined {
    if (this.#chunks.length === 0 && this.#queries.length === 0) return undefined;
    const offsets = byteOffsets(
      text,
      this.#notes.flatMap(({ start, end }) => [start, end]),
    );
    const groundingSupports = this.#notes.map(({ start, end, chunk }) => ({
      segment: {
        startIndex: offsets.get(start) ?? 0,
        endIndex: offsets.get(end) ?? 0,
        text: text.slice(start, end),
      },
      groundingChunkIndices: [chunk],
    }));
    return {
      ...(this.#queries.length > 0 ? { webSearchQueries: this.#queries } : {}),
      ...(this.#chunks.length > 0 ? { groundingChunks: this.#chunks } : {}),
      ...(groundingSupports.length > 0 ? { groundingSupports } : {}),
    };
  }

  #chunk(key: string, chunk: JsonObject): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#chunks.length);
    return this.#chunks.push(chunk) - 1;
  }
}

/** Converts positions in characters to positions in bytes of UTF-8, in one pass over the text. */
function byteOffsets(text: string, places: readonly number[]): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  let at = 0;
  let bytes = 0;
  for (const place of [...new Set(places)].sort((a, b) => a - b)) {
    bytes += Buffer.byteLength(text.slice(at, place));
    at = Math.min(place, text.length);
    offsets.set(place, bytes);
  }
  return offsets;
}
