import type { ReadRecord } from '../logs/record.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';

/** A request as it came, before anything is decided about it. */
export interface HookRequest {
  /**
   * Its JSON body, in the API of its endpoint; the hook may change it. Of a form, such as one with a recording, it is the
   * model's name alone, and cannot be changed.
   */
  body: JsonObject;
}

/** A whole answer in the client's API, before the client gets it. */
export interface HookAnswer {
  readonly status: number;
  /** Its JSON body; the hook may change it. */
  body: JsonObject;
}

/** Whose request it is. */
export interface HookContext {
  /** Id of the request, as in the log and the header `x-request-id`. */
  readonly id: string;
  /** Name of the client's key; `null` without one. */
  readonly key: string | null;
  /** Who the client says its end user is. */
  readonly user: string | null;
  /** The model that the client names. */
  readonly model: string;
  readonly endpoint: Endpoint;
  /** Whether the client wants a stream. */
  readonly stream: boolean;
  /** Aborts when the client leaves, or the hook has taken longer than `plugin_timeout`. */
  readonly signal: AbortSignal;
}

/** The record of a request, as the request log has it; see docs/log-format.md. */
export type RequestRecord = ReadRecord;

/**
 * Hooks: the default export of a plugin. Each is optional and may be async. The plugins' hooks are called in the order of the
 * configuration. One that throws a ProxyError refuses the request by its fault; what else it throws, or taking longer than
 * `plugin_timeout`, is the fault `plugin`, and the request fails with status 500.
 */
export interface Plugin {
  /** What it is called in messages; the name of its file when it is left out. */
  readonly name?: string;
  /** Before a request is routed and limits are looked at. What it changes is what is asked, recorded and charged. */
  onRequest?(request: HookRequest, context: HookContext): void | Promise<void>;
  /** Before a client gets a whole answer. Streams are not held back for it: `onRecord` has what was said in them. */
  onAnswer?(answer: HookAnswer, context: HookContext): void | Promise<void>;
  /**
   * After each request, with its record. Nobody waits for it: records wait in a queue of 1,000, and those that come when it
   * is full are dropped and counted.
   */
  onRecord?(record: RequestRecord): void | Promise<void>;
}
