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
import type { Tap } from '../tap.ts';

/** A whole, unstreamed answer, understood. */
export interface WholeAnswer {
  /** The answer in the client's protocol, a long one as bytes; `undefined` when the provider's bytes serve as they are. */
  readonly text: string | Uint8Array<ArrayBuffer> | undefined;
  readonly finish: string | null;
  readonly usage: Usage | undefined;
  /** What of it the client's protocol has no word for, by name; left out where all was said. */
  readonly lost?: readonly string[];
}

/** Bytes for the client, where there are any. */
export type Folded = Uint8Array | undefined;

/** Turns upstream bytes into client bytes, chunk by chunk, and shows the tap what passes. */
export interface Fold {
  /** What takes long is given as the steps to it. */
  push(bytes: Uint8Array): Folded | Steps<Folded>;
  /** The upstream ended: what is still to be sent, the terminator above all, when the answer is complete. */
  end(): Folded | Steps<Folded>;
  /** The answer failed: the client's last events. */
  fail(error: ProxyError, requestId: string): string;
  /** Goes on with another target's answer in place of the upstream's. */
  goOn(client: Answering): Continuation;
}

/** How a client is answered. */
export interface Answering extends Pick<Understood, 'stream'> {
  /** Whether its protocol has no way to say that a call cannot be read. */
  readonly strict: boolean;
}

/** Writes the rest of an answer of which the client has the beginning, and shows the tap what passes. */
export interface Continuation {
  /** @throws ProxyError when the answer ends in a way that makes it none */
  push(chunk: ChatChunk): string;
  /** The answer is complete: its last events and the terminator. @throws ProxyError as `push` does */
  end(): string;
}

/** A request made ready for one target, and how to read what comes back. */
export interface Prepared {
  /** Which of the provider's endpoints is asked. */
  readonly endpoint: Endpoint;
  /** What it is asked in; left out where that is the client's own. */
  readonly protocol?: ProtocolName;
  /** What of the client's query travels on. */
  readonly query?: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  /** The bodies of several requests, where one does not hold all; `body` is the first. */
  readonly parts?: readonly (Uint8Array<ArrayBuffer> | string)[] | undefined;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the request that the target cannot take. */
  readonly dropped: readonly string[];
  /** Whether the usage is asked for although the client's own request does not. */
  readonly asksUsage?: boolean;
  /** Whether the target is given back something that it sealed, and could refuse. */
  readonly sealed?: boolean;
  /** @throws ProxyError when the body is an error or no answer */
  whole(text: string, target: string): Steps<WholeAnswer>;
  /**
   * A whole answer where a stream was asked for, as the events it should have been; `undefined`, or left out, where
   * that cannot be.
   * @throws ProxyError as `whole` does
   */
  wholeAsStream?(text: string, target: string): Steps<string | undefined>;
  /** @param maxBytes how much of the answer is assembled for the record */
  tap(maxBytes: number): Tap;
  fold(tap: Tap, target: string): Fold;
}

/** An answer that is made here, without asking anyone: it tells how many tokens texts have. */
export interface Local {
  readonly texts: readonly string[];
  /** @param tokens of all texts together @returns JSON text */
  readonly local: (tokens: number) => string;
  /** Why the answer ended, where it is one that says so. */
  readonly finish?: string;
}

/** For whom a request is made ready, and with what. */
export interface LaneContext {
  readonly provider: BaseProvider;
  /** The name the provider knows. */
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly newId: () => string;
  readonly memory: ReplayMemory;
  /** Of a stream. */
  readonly usage: UsageAsking;
  /** Milliseconds since the provider was asked. */
  readonly elapsedMs?: () => number;
  /** Whether the target has just refused what it was given back of its reasoning. */
  readonly unsealed?: boolean;
  /** Set if something was replaced in the request. */
  readonly redaction?: Redaction | undefined;
}

/** How an answer to a redacted request is returned. */
export interface Redaction {
  /** The request as the client sent it. */
  readonly asked: Inbound;
  /** Replaces placeholders in the answer; `undefined` if they stay, or there are none. */
  readonly restorer: Restorer | undefined;
}

/** How requests and answers pass between a client's protocol and a provider's. */
export interface Lane {
  readonly kind: 'relay' | 'translate';
  /** @throws ProxyError `invalid_request`, or `unsupported` when the target cannot do what the client wants */
  prepare(inbound: Inbound, context: LaneContext): Steps<Prepared | Local>;
}
