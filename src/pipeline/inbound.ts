import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';
import type { StreamForm } from '../wire/stream-form.ts';
import type { StorageState } from '../wire/responses/storage-state.ts';
import type { Span } from '../wire/json-keys.ts';

/** A client's request, parsed and validated as far as routing needs. */
export interface Inbound {
  readonly endpoint: Endpoint;
  /** The name of the client's key; `null` without one. What is remembered of its requests is for its requests only. */
  readonly caller: string | null;
  /** The model that the client named. */
  readonly model: string;
  readonly stream: boolean;
  /** The form of a stream for the client. */
  readonly form: StreamForm;
  /** The part of the query that may be passed on to a provider. */
  readonly query?: string | undefined;
  readonly contentType: string;
  /** The decompressed body. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The body as text and parsed, if it is JSON. */
  readonly json:
    | {
        readonly text: string;
        readonly value: JsonObject;
        /** The position of the model's name in the bytes; omitted if the request has none. */
        readonly modelAt?: Span | undefined;
      }
    | undefined;
  /** Client headers that may be passed on to a provider. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's own timeout until the answer begins, milliseconds; `Infinity` without one. */
  readonly beginWithinMs: number;
  /** The caller's own timeout for the whole answer, milliseconds; `Infinity` without one. */
  readonly endWithinMs: number;
  /** The storage state of a response, if responses are stored. */
  readonly storage?: StorageState | undefined;
  /** Whether the earlier conversation was inserted. */
  readonly expanded?: boolean;
  /** The request without the inserted conversation, for the provider that has stored it itself. */
  readonly chained?: { readonly issuer: string; readonly asSent: Inbound } | undefined;
  /** Set when an interrupted answer is continued. */
  readonly continuation?: {
    /** What the client has of it. */
    readonly text: string;
    /** Whether it was translated: it is then canonical chat, as no client would send it. */
    readonly translated: boolean;
  };
}
