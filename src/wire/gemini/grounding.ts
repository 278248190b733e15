/** Pages that an answer rests on. @see https://ai.google.dev/api/generate-content#GroundingMetadata */
import type { JsonObject } from '../json.ts';
import type { Annotation, Part, Source } from '../parts/part.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { pageNote } from '../parts/message.ts';

/** A text in UTF-8, as segments count it, and where it begins in all of the answer's text, characters. */
export interface Grounded {
  readonly bytes: Uint8Array;
  readonly from: number;
}

/**
 * What Google says of where a text comes from, as annotations of it.
 * @param texts by the place of their parts; what a segment names no part of is in the first
 */
export function annotationsOf(metadata: JsonObject, texts: readonly (Grounded | undefined)[]): Annotation[] {
  const pages = pagesOf(metadata);
  const cited = new Set<number>();
  const notes = listOf(metadata.groundingSupports)
    .filter(isObject)
    .flatMap(({ segment, groundingChunkIndices: indices }) => {
      const { partIndex, startIndex, endIndex } = objectOf(segment);
      const within = texts[countOf(partIndex) ?? 0] ?? texts.find((text) => text !== undefined);
      if (!within) return [];
      const [start, end] = charactersAt(within, countOf(startIndex) ?? 0, countOf(endIndex) ?? 0);
      return listOf(indices).flatMap((index) => {
        const page = pages[countOf(index) ?? -1];
        if (page) cited.add(Number(index));
        return page ? [pageNote(page.url, page.title, start, end)] : [];
      });
    });
  // What was found and is of no words in particular.
  const others = pages.flatMap((page, index) =>
    page && !cited.has(index) ? [pageNote(page.url, page.title)] : [],
  );
  return [...notes, ...others];
}

/** The search that was made, and what it found. @param id names it */
export function searchOf(metadata: JsonObject, id: string): Part[] {
  const queries = listOf(metadata.webSearchQueries).filter((query) => typeof query === 'string');
  const sources = pagesOf(metadata).filter((page): page is Source => page !== undefined);
  if (queries.length === 0) return [];
  const input = JSON.stringify(
    queries.length === 1 ? { query: queries[0] } : { query: queries.join('\n'), queries },
  );
  return [
    { type: 'hosted_call', id, name: 'web_search', input },
    { type: 'hosted_result', id, name: 'web_search', sources },
  ];
}

function pagesOf({ groundingChunks: chunks }: JsonObject): (Source | undefined)[] {
  return listOf(chunks).map((chunk) => {
    const { web, maps, retrievedContext } = objectOf(chunk);
    const { uri, title } = objectOf(web ?? maps ?? retrievedContext);
    return typeof uri === 'string' ? { url: uri, title: stringOf(title) ?? '' } : undefined;
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @param from characters of the answer before it */
export function grounded(text: string, from: number): Grounded {
  return { bytes: encoder.encode(text), from };
}

/** Places in bytes of UTF-8 as places in characters of the answer. */
function charactersAt({ bytes, from }: Grounded, start: number, end: number): [number, number] {
  const length = (until: number) => decoder.decode(bytes.subarray(0, until)).length;
  return [from + length(start), from + length(end)];
}
