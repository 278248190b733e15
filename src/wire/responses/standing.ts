/** The storage state of a response: the part that it shows, and the part that only the proxy knows. */
import type { JsonObject } from '../json.ts';

export interface Standing {
  /** The predetermined id, if any. */
  readonly id?: string | undefined;
  /** Whether it is stored here. */
  readonly store: boolean;
  /** The previous response. */
  readonly previous?: string | undefined;
  /** The conversation that it belongs to. */
  readonly conversation?: string | undefined;
  readonly background: boolean;
}

/** A response that is not stored. */
export const ALONE: Standing = { store: false, background: false };

/** The fields that a response shows. */
export function echoedStanding({ store, previous, conversation, background }: Standing): JsonObject {
  return {
    background,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
    previous_response_id: previous ?? null,
    store,
  };
}
