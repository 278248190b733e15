/** What an attempt is given, and what it returns. */
import type { OutwardRule } from '../../config/schema/redaction.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import type { ProviderModel } from '../../providers/base.ts';
import type { Flow } from '../streams/flow.ts';
import type { WholeAnswer } from '../lanes/lane.ts';
import type { Share } from './share.ts';
import type { Target } from '../targets/target.ts';
import type { Usage } from '../../wire/usage.ts';

/** The target of an attempt, and how to call it. */
export interface AttemptPlan {
  readonly target: Target;
  readonly offer: ProviderModel;
  /** The index of the provider's key. */
  readonly key: number;
  /** Whether to use a new connection. */
  readonly fresh: boolean;
  /** Whether to leave out everything signed or encrypted: the target has just rejected it. */
  readonly unsealed: boolean;
  /** Whether to request nothing for which the target has to compile a schema: it has just refused one. */
  readonly schemaless: boolean;
  /** What is redacted in the request before it is sent. */
  readonly redact?: OutwardRule | undefined;
  /** What to do about fields that the target does not support. */
  readonly unsupported: 'drop' | 'error';
  /** How long it may take while other targets wait. */
  readonly share?: Share | undefined;
  /** Headers that connect the provider to the request's trace. */
  readonly traceHeaders?: Readonly<Record<string, string>> | undefined;
  /** Called with the headers of every response. */
  readonly answered?: (headers: HeaderMap) => void;
}

/** An answer of any kind. */
export interface AnyAnswer {
  readonly kind: string;
}

/** An answer that may be sent to the client: from here on nothing is retried elsewhere. */
export interface Opened<A extends AnyAnswer = Whole | Streamed> {
  readonly lane: 'relay' | 'translate';
  readonly status: number;
  readonly headers: HeaderMap;
  readonly dropped: readonly string[];
  readonly answer: A;
}

/** One request to one target, with any kind of answer. */
export interface Attempting<A extends AnyAnswer = Whole | Streamed> {
  /** How much was redacted in the request, by kind; `undefined` if nothing had to be. */
  readonly redacted?: Readonly<Record<string, number>> | undefined;
  /** @throws ProxyError for the fault that occurred */
  open(): Promise<Opened<A>>;
  /** The provider's HTTP status, once it responded. */
  readonly status: number | null;
  /** The usage that its answer has reported so far. */
  readonly reported?: Usage | undefined;
  /** When it waited for the provider, on the monotonic clock; `undefined` if the provider was not called. */
  readonly heard?: { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** Aborts it before it has opened. @param reason a ProxyError */
  cancel(reason: unknown): void;
  /** Cancels the answer that it has opened. */
  discard(opened: Opened<A>): void;
}

export interface Whole extends Pick<WholeAnswer, 'finish' | 'usage'> {
  /** The names of what the client's protocol cannot express. */
  readonly lost?: readonly string[] | undefined;
  readonly kind: 'whole';
  readonly body: Uint8Array<ArrayBuffer>;
  /** The answer as JSON text, for the record; `undefined` when it is not JSON. */
  readonly text: string | undefined;
  /** The body's content type if it was not received but made here: uncompressed. */
  readonly made?: 'application/json' | 'text/event-stream';
}

export interface Streamed {
  readonly kind: 'stream';
  readonly flow: Flow;
  /** What was read until the first content arrived. */
  readonly held: Uint8Array | undefined;
  /** Stops the attempt's timers. */
  readonly release: () => void;
}
