/** Where a response stands among those that are stored: what it tells of that, and what of it nobody but the proxy knows. */
import type { JsonObject } from '../json.ts';

export interface Standing {
  /** The id that it is to have, where that is decided before it is made. */
  readonly id?: string | undefined;
  /** Whether it is stored here. */
  readonly store: boolean;
  /** The response that it goes on from. */
  readonly previous?: string | undefined;
  /** The conversation that it is part of. */
  readonly conversation?: string | undefined;
  readonly background: boolean;
}

/** Of a response that nobody stores. */
export const ALONE: Standing = { store: false, background: false };

/** What a response tells of it. */
export function toldStanding({ store, previous, conversation, background }: Standing): JsonObject {
  return {
    background,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
    previous_response_id: previous ?? null,
    store,
  };
}
