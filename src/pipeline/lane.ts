import type { Usage } from '../wire/usage.ts';
import type { Inbound } from './inbound.ts';
import type { Tap } from './tap.ts';

/** A whole, unstreamed answer, understood. */
export interface WholeAnswer {
  /** The answer in the client's protocol; `undefined` when the provider's bytes serve as they are. */
  readonly text: string | undefined;
  readonly finish: string | null;
  readonly usage: Usage | undefined;
}

/** Turns upstream bytes into client bytes, chunk by chunk, and shows the tap what passes. */
export interface Fold {
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** The upstream ended: what is still to be sent, the terminator above all, when the answer is complete. */
  end(): Uint8Array | undefined;
}

/** A request made ready for one target, and how to read what comes back. */
export interface Prepared {
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Fields of the request that the target cannot take. */
  readonly dropped: readonly string[];
  /** @throws ProxyError when the body is an error or no answer */
  whole(text: string, target: string): WholeAnswer;
  fold(tap: Tap, target: string): Fold;
}

/** How requests and answers pass between a client's protocol and a provider's. */
export interface Lane {
  readonly kind: 'relay' | 'translate';
  /**
   * @param nowMs milliseconds since the epoch
   * @throws ProxyError `invalid_request` when the target's protocol cannot say what the client wants
   */
  prepare(inbound: Inbound, model: string, nowMs: number): Prepared;
}
