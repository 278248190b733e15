/** What is stored of responses and conversations, as it is handed over between threads. */
import type { JsonObject } from '../wire/json.ts';

/** Whose it is: the name of a client's key, empty where there are no keys. */
export type Owner = string;

/** A response to keep. */
export interface KeptResponse {
  readonly owner: Owner;
  /** The id that its client knows, where that is not the one in its body. */
  readonly id?: string | undefined;
  /** The request as its client sent it, JSON. */
  readonly request: string;
  /** The whole response, JSON. */
  readonly response: string;
  /** The response that it goes on from. */
  readonly previous?: string | undefined;
  /** The conversation that it is part of. */
  readonly conversation?: string | undefined;
  /** The provider that has stored it as well. */
  readonly issuer?: string | undefined;
  readonly background?: boolean;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** A response that runs in the background, before it has begun. */
export interface QueuedResponse extends Omit<KeptResponse, 'issuer' | 'background'> {
  readonly id: string;
  /** Whether its events are kept. */
  readonly streams: boolean;
}

/** How a response ran in the background. */
export interface BackgroundEnd {
  readonly owner: Owner;
  readonly id: string;
  /** The whole response, JSON; left out where it failed. */
  readonly response?: string | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly issuer?: string | undefined;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** A stored response as its client is shown it. */
export interface ShownResponse {
  /** JSON. */
  readonly body: string;
  readonly isRunning: boolean;
  readonly background: boolean;
  /** Whether events of it are kept, or will be. */
  readonly streams: boolean;
}

/** What a request goes on from. */
export type Chain =
  | {
      readonly kind: 'found';
      /** A JSON list of the items, oldest first. */
      readonly items: string;
      /** The provider that has the last response as well, and the id that it knows it by. */
      readonly issuer?: string | undefined;
      readonly issued?: string | undefined;
    }
  | { readonly kind: 'missing'; readonly id: string }
  /** It belongs to another caller. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'running' }
  | { readonly kind: 'too_large' };

/** Which part of a list is asked for. */
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

/** Events of a response that runs, or ran, in the background. */
export interface StoredEvents {
  readonly events: readonly string[];
  readonly isRunning: boolean;
}

/** Bounds on what is stored, and what is taken out of it. */
export interface StoredOptions {
  /** Of all together, bytes. */
  readonly maxBytes: number;
  /** The most that a request may be given of what was before, bytes. */
  readonly maxChain: number;
  /** Whether other processes use the same file. */
  readonly isShared: boolean;
}
