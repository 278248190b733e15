/** What a request has in common with others. */
import type { JsonObject } from '../wire/json.ts';
import { localTime } from '../config/moment.ts';
import { objectOf, stringOf } from '../wire/json.ts';

/** Reads something off the head of a record; null where it is not there. */
export type Facet = (head: JsonObject) => string | null;

/** How much of a local time, as an ISO text, is the same for all in a row. */
const SPANS: Readonly<Record<string, number>> = { month: 7, day: 10, hour: 13 };

/** Of an ISO time: up to the minute. Clocks are shifted by whole minutes. */
const MINUTE = 16;

/** Minutes that are remembered: a week of them. */
const MAX_REMEMBERED = 10_080;

/** @param facet one of those that `facetsOf` lets pass */
export function facetOf(facet: string, timeZone: string): Facet {
  if (facet in SPANS) return spanFacet(SPANS[facet]!, timeZone);
  const [, kind, name] = /^(tag|label)\.(.+)$/s.exec(facet) ?? [];
  if (name !== undefined) {
    const field = kind === 'tag' ? 'tags' : 'labels';
    return (head) => own(objectOf(head[field]), name);
  }
  return (head) => stringOf(head[facet]) ?? null;
}

/** Whether rows by it have an order of their own. */
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
