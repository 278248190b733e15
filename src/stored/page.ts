import type { JsonObject } from '../wire/json.ts';
import type { Page, PageOptions } from './entries.ts';

/** A part of a list that is given oldest first. */
export function pageOf(items: readonly JsonObject[], { limit, order, after }: PageOptions): Page {
  const ordered = order === 'asc' ? items : items.toReversed();
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  const data = ordered.slice(start, start + limit);
  return { data, hasMore: start + data.length < ordered.length };
}
