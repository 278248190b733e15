/** The properties by which requests are grouped. */
import type { JsonObject } from '../wire/json.ts';
import { localTime } from '../config/moment.ts';
import { objectOf, stringOf } from '../wire/json.ts';

/** Reads a property from the head of a record; null if it is missing. */
export type Facet = (head: JsonObject) => string | null;

/** How many characters of a local time in ISO format are the same for all requests in a row. */
const SPANS: Readonly<Record<string, number>> = { month: 7, day: 10, hour: 13 };

/** The length of an ISO time up to the minute: time zones differ by whole minutes. */
const MINUTE = 16;

/** The number of cached minutes: a week. */
const MAX_REMEMBERED = 10_080;

/** @param facet one that `facetsOf` accepts */
export function facetOf(facet: string, timeZone: string): Facet {
  if (facet in SPANS) return spanFacet(SPANS[facet]!, timeZone);
  const [, kind, name] = /^(tag|label)\.(.+)$/s.exec(facet) ?? [];
  if (name !== undefined) {
    const field = kind === 'tag' ? 'tags' : 'labels';
    return (head) => own(objectOf(head[field]), name);
  }
  return (head) => stringOf(head[facet]) ?? null;
}

/** Whether its rows have a natural order. */
export function isOfTime(facet: string): boolean {
  return facet in SPANS;
}

function spanFacet(length: number, timeZone: string): Facet {
  if (timeZone === 'UTC') return ({ ts }) => (ts as string).slice(0, length);
  const known = new Map<string, string>();
  return ({ ts }) => {
    const minute = (ts as string).slice(0, MINUTE);
    let local = known.get(minute);
    if (local === undefined) {
      local = localTime(Date.parse(`${minute}Z`), timeZone).slice(0, length);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(minute, local);
    }
    return local;
  };
}

function own(object: JsonObject, name: string): string | null {
  return Object.hasOwn(object, name) ? (stringOf(object[name]) ?? null) : null;
}
