import type { JsonObject } from '../wire/json.ts';
import type { Page, PageOptions } from './entries.ts';

/** The same as JSON: what is large is written by the thread that has it. @see https://platform.openai.com/docs/api-reference/responses/input-items */
export function pageText({ data, hasMore }: Page): string {
  const [first, last] = [data[0], data.at(-1)].map((item) => item?.id ?? null);
  return JSON.stringify({ object: 'list', data, first_id: first, last_id: last, has_more: hasMore });
}

/** A part of a list whose items are given oldest first. */
export function pageOf(items: readonly JsonObject[], { limit, order, after }: PageOptions): Page {
  const ordered = order === 'asc' ? items : items.toReversed();
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  const data = ordered.slice(start, start + limit);
  return { data, hasMore: start + data.length < ordered.length };
}
