import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';
import type { StreamForm } from '../wire/stream-form.ts';
import type { Standing } from '../wire/responses/standing.ts';
import type { Span } from '../wire/json-keys.ts';

/** A client's request, read and checked as far as routing needs. */
export interface Inbound {
  readonly endpoint: Endpoint;
  /** Name of the client's key; `null` without one. What is remembered of its requests serves nobody else. */
  readonly caller: string | null;
  /** The model the client named. */
  readonly model: string;
  readonly stream: boolean;
  /** How a stream is written down for the client. */
  readonly form: StreamForm;
  /** What of the query may travel on to a provider. */
  readonly query?: string | undefined;
  readonly contentType: string;
  /** The body as it came, decompressed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The body as text and parsed, when it is JSON. */
  readonly json:
    | {
        readonly text: string;
        readonly value: JsonObject;
        /** Where the model's name stands in the bytes; left out where the request names none. */
        readonly modelAt?: Span | undefined;
      }
    | undefined;
  /** Client headers that may travel on to a provider. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's own limit until the answer begins, milliseconds; `Infinity` without one. */
  readonly beginWithinMs: number;
  /** The caller's own limit on the whole answer, milliseconds; `Infinity` without one. */
  readonly endWithinMs: number;
  /** Of a response, where responses are stored. */
  readonly standing?: Standing | undefined;
  /** Whether what was said before was put into it. */
  readonly expanded?: boolean;
  /** The request before what it goes on from was put into it, for the provider that has stored that itself. */
  readonly chained?: { readonly issuer: string; readonly asSent: Inbound } | undefined;
  /** Set where a cut answer is continued. */
  readonly continuation?: {
    /** What the client has of it. */
    readonly text: string;
    /** Whether the request came in another protocol: it is chat in its canonical form, as no client would send it. */
    readonly translated: boolean;
  };
}
