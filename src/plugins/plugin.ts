import type { ReadRecord } from '../logs/record.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';

/** A request as it arrived, before any decision about it. */
export interface HookRequest {
  /**
   * Its JSON body, in the format of its endpoint; the hook may change it. For a form, such as one with a recording, it
   * holds only the name of the model and cannot be changed.
   */
  body: JsonObject;
}

/** A whole answer in the format of the client's API, before it is sent to the client. */
export interface HookAnswer {
  readonly status: number;
  /** Its JSON body; the hook may change it. */
  body: JsonObject;
}

/** Information about the caller. */
export interface HookContext {
  /** The id of the request, as in the log and in the header `x-request-id`. */
  readonly id: string;
  /** The name of the client's key; `null` if it used none. */
  readonly key: string | null;
  /** The end user that the client names. */
  readonly user: string | null;
  /** The model that the client names. */
  readonly model: string;
  readonly endpoint: Endpoint;
  /** Whether the client requests a stream. */
  readonly stream: boolean;
  /** Aborts when the client disconnects, or when the hook exceeds `plugin_timeout`. */
  readonly signal: AbortSignal;
}

/** The record of a request, as in the request log; see docs/log-format.md. */
export type RequestRecord = ReadRecord;

/**
 * Hooks: the default export of a plugin. Each is optional and may be async. The hooks of several plugins are called in
 * the order of the configuration. Throwing a ProxyError rejects the request with its fault; any other error, and
 * exceeding `plugin_timeout`, is the fault `plugin`, and the request fails with status 500.
 */
export interface Plugin {
  /** The name of the plugin in messages; the name of its file by default. */
  readonly name?: string;
  /** Called before limits are checked and the request is routed. Its changes are sent, recorded and charged. */
  onRequest?(request: HookRequest, context: HookContext): void | Promise<void>;
  /**
   * Called before a client receives a whole answer. Streams are not delayed for it: `onRecord` receives their content.
   */
  onAnswer?(answer: HookAnswer, context: HookContext): void | Promise<void>;
  /**
   * Called after each request with its record. It runs in the background: records wait in a queue of 1,000, and records
   * that arrive when it is full are dropped and counted.
   */
  onRecord?(record: RequestRecord): void | Promise<void>;
}
