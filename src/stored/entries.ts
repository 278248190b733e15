/** Stored responses and conversations in the form in which they are passed between threads. */
import type { JsonObject } from '../wire/json.ts';

/** The owner: the name of a client's key, empty if there are no keys. */
export type Owner = string;

/** A response to store. */
export interface KeptResponse {
  readonly owner: Owner;
  /** The id that its client knows, if it differs from the one in its body. */
  readonly id?: string | undefined;
  /** The request as its client sent it, JSON. */
  readonly request: string;
  /** The whole response, JSON. */
  readonly response: string;
  /** The previous response. */
  readonly previous?: string | undefined;
  /** The conversation that it belongs to. */
  readonly conversation?: string | undefined;
  /** The provider that has stored it as well. */
  readonly issuer?: string | undefined;
  readonly background?: boolean;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** A background response before it has started. */
export interface QueuedResponse extends Omit<KeptResponse, 'issuer' | 'background'> {
  readonly id: string;
  /** Whether its events are stored. */
  readonly streams: boolean;
}

/** The outcome of a background response. */
export interface BackgroundEnd {
  readonly owner: Owner;
  readonly id: string;
  /** The whole response, JSON; omitted if it failed. */
  readonly response?: string | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly issuer?: string | undefined;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** A stored response as its client sees it. */
export interface ShownResponse {
  /** JSON. */
  readonly body: string;
  readonly isRunning: boolean;
  readonly background: boolean;
  /** Whether its events are, or will be, stored. */
  readonly streams: boolean;
}

/** The earlier conversation of a request. */
export type Chain =
  | {
      readonly kind: 'found';
      /** A JSON list of the items, oldest first. */
      readonly items: string;
      /** The provider that has also stored the last response, and the id there. */
      readonly issuer?: string | undefined;
      readonly issued?: string | undefined;
    }
  | { readonly kind: 'missing'; readonly id: string }
  /** It belongs to another caller. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'running' }
  | { readonly kind: 'too_large' };

/** The requested part of a list. */
export interface PageOptions {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after?: string | undefined;
}

/** A part of a list. */
export interface Page {
  readonly data: readonly JsonObject[];
  readonly hasMore: boolean;
}

export interface StoredConversation {
  readonly id: string;
  readonly createdMs: number;
  readonly metadata: JsonObject;
}

/** Events of a background response, running or finished. */
export interface StoredEvents {
  readonly events: readonly string[];
  readonly isRunning: boolean;
}

/** The limits of the store, and what is redacted. */
export interface StoredOptions {
  /** For everything together, bytes. */
  readonly maxBytes: number;
  /** The longest earlier conversation that a request may get, bytes. */
  readonly maxChain: number;
  /** Whether other processes use the same file. */
  readonly isShared: boolean;
}
