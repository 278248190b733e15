/** The storage state of a response: the part that it shows, and the part that only the proxy knows. */
import type { JsonObject } from '../json.ts';

export interface StorageState {
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
export const NOT_STORED: StorageState = { store: false, background: false };

/** The fields that a response shows. */
export function storageFields({ store, previous, conversation, background }: StorageState): JsonObject {
  return {
    background,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
    previous_response_id: previous ?? null,
    store,
  };
}
