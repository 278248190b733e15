import type { Events } from '../../wire/long-events.ts';
import type { BaseProvider } from '../../providers/base.ts';
import type { UsageAsking } from '../../providers/usage-asking.ts';
import type { ProxyError } from '../../errors.ts';
import type { ChatChunk } from '../../wire/chat.ts';
import type { Steps } from '../../turns.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { ProtocolName, ReplayMemory, Understood } from '../../wire/protocol.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Restorer } from '../../redact/outward/restorer.ts';
import type { Inbound } from '../inbound.ts';
import type { Tap } from '../streams/tap.ts';

/** A decoded whole answer. */
export interface WholeAnswer {
  /**
   * The answer in the client's protocol, as bytes if it is long; `undefined` when the provider's bytes are sent
   * unchanged.
   */
  readonly text: string | Uint8Array<ArrayBuffer> | undefined;
  readonly finish: string | null;
  readonly usage: Usage | undefined;
  /** The names of what the client's protocol cannot express; omitted if there is nothing. */
  readonly lost?: readonly string[];
}

/** Bytes for the client, if there are any. */
export type Folded = Uint8Array | undefined;

/** Converts upstream bytes to client bytes, chunk by chunk, and shows the tap what passes. */
export interface Fold {
  /** Long work is returned as steps. */
  push(bytes: Uint8Array): Folded | Steps<Folded>;
  /** The upstream has ended: the remaining bytes, above all the terminator, when the answer is complete. */
  end(): Folded | Steps<Folded>;
  /** The answer failed: the client's last events. */
  fail(error: ProxyError, requestId: string): Events;
  /** Continues with another target's answer in place of the upstream's. */
  goOn(client: Answering): Continuation;
}

/** How a client is answered. */
export interface Answering extends Pick<Understood, 'stream'> {
  /** Whether its protocol cannot express that a call is invalid. */
  readonly strict: boolean;
}

/** Writes the rest of an answer of which the client has the beginning, and shows the tap what passes. */
export interface Continuation {
  /** @throws ProxyError when the answer's ending is a fault */
  push(chunk: ChatChunk): string;
  /** The answer is complete: its last events and the terminator. @throws ProxyError as `push` does */
  end(): string;
}

/** A request prepared for one target, and how to read the answer. */
export interface Prepared {
  /** The provider's endpoint. */
  readonly endpoint: Endpoint;
  /** The protocol of the call; omitted if it is the client's own. */
  readonly protocol?: ProtocolName;
  /** The part of the client's query that is passed on. */
  readonly query?: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  /** The bodies of several requests, if one cannot contain everything; `body` is the first. */
  readonly parts?: readonly (Uint8Array<ArrayBuffer> | string)[] | undefined;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the request that the target does not support. */
  readonly dropped: readonly string[];
  /** Whether usage is requested although the client's own request does not. */
  readonly asksUsage?: boolean;
  /** Whether it contains something that the target itself signed or encrypted, and could reject. */
  readonly sealed?: boolean;
  /** Whether the target has to compile a schema for it, and could refuse to. */
  readonly schemas?: boolean;
  /**
   * Its steps are those of a generator function outside of `prepare`: one that is created with each request has a
   * prototype of its own, for which the runtime's compiler starts anew again and again.
   * @throws ProxyError when the body is an error or not an answer
   */
  whole(text: string, target: string): Steps<WholeAnswer>;
  /**
   * Converts a whole answer to the events it should have been, if a stream was requested; `undefined`, or omitted, if
   * that is not possible.
   * @throws ProxyError as `whole` does
   */
  wholeAsStream?(text: string, target: string): Steps<Uint8Array<ArrayBuffer> | undefined>;
  /** @param maxBytes how much of the answer is assembled for the record */
  tap(maxBytes: number): Tap;
  fold(tap: Tap, target: string): Fold;
}

/** An answer made here without calling a provider, from the token counts of texts. */
export interface Local {
  readonly texts: readonly string[];
  /** @param tokens of all texts together @returns JSON text */
  readonly local: (tokens: number) => string;
  /** The finish reason of the answer, if it has one. */
  readonly finish?: string;
}

/** The target that a request is prepared for, and the context. */
export interface LaneContext {
  readonly provider: BaseProvider;
  /** The upstream name. */
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly newId: () => string;
  readonly memory: ReplayMemory;
  /** Whether the usage of a stream is requested if the client did not. */
  readonly usage: UsageAsking;
  /** Milliseconds since the provider was called. */
  readonly elapsedMs?: () => number;
  /** Whether the target has just rejected its own reasoning. */
  readonly unsealed?: boolean;
  /** Whether the target has just refused to compile a schema. */
  readonly schemaless?: boolean;
  /** Whether the target rejected calls without signatures. */
  readonly signsCalls?: true | undefined;
  /** Set if something was redacted in the request. */
  readonly redaction?: Redaction | undefined;
}

/** How an answer to a redacted request is returned. */
export interface Redaction {
  /** The request as the client sent it. */
  readonly requested: Inbound;
  /** Replaces placeholders in the answer; `undefined` if they stay, or there are none. */
  readonly restorer: Restorer | undefined;
}

/** How requests and answers pass between a client's protocol and a provider's. */
export interface Lane {
  readonly kind: 'relay' | 'translate';
  /** @throws ProxyError `invalid_request`, or `unsupported` when the target cannot do what the client requests */
  prepare(inbound: Inbound, context: LaneContext): Steps<Prepared | Local>;
}
