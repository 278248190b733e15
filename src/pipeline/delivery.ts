import type { Clock } from '../clock.ts';
import type { ProxyError } from '../errors.ts';
import type { Streamed } from './attempts/attempting.ts';
import type { Exchange } from './record/exchange.ts';
import type { Flow } from './streams/flow.ts';
import type { Caller } from './pipeline.ts';
import type { StreamEnd, StreamOwner } from './streams/pump.ts';
import type { Tap } from './streams/tap.ts';
import type { ResumeDeps } from './attempts/resume.ts';
import type { Job, Routed } from './routing/router.ts';
import { atOnce } from '../turns.ts';
import { Resumer } from './attempts/resume.ts';

export interface DeliveryDeps extends ResumeDeps {
  readonly clock: Clock;
}

/** Longer answers are written as JSON in steps, bytes. */
const LONG = 1024 * 1024;

/** The client, and the record. */
export interface Recipient {
  readonly caller: Caller;
  readonly exchange: Exchange;
  /** Lifts the limit on the whole answer. */
  readonly stopLimit: () => void;
}

/**
 * A committed stream on its way to the client: which target it comes from, who continues it when it breaks, and what
 * its end means for the target and in the record.
 */
export class Delivery implements StreamOwner {
  readonly #deps: DeliveryDeps;
  readonly #recipient: Recipient;
  readonly #resumer: Resumer;
  /** The status that the client received. */
  readonly #status: number;
  /** The flow that began it, whose tap sees the whole answer. */
  readonly #first: Flow;
  #routed: Routed;
  #flow: Flow;

  constructor(job: Job, routed: Routed, flow: Flow, recipient: Recipient, deps: DeliveryDeps) {
    this.#deps = deps;
    this.#recipient = recipient;
    this.#resumer = new Resumer(job, deps);
    this.#status = routed.opened.status;
    this.#first = flow;
    this.#routed = routed;
    this.#flow = flow;
  }

  async resume(error: ProxyError): Promise<Streamed | undefined> {
    this.#settle(error, true);
    const rest = await this.#resumer.resume(this.#routed, this.#flow, error);
    if (!rest) return undefined;
    const { routed, streamed } = rest;
    const { exchange } = this.#recipient;
    if (exchange.over) {
      // The client disconnected at the moment the continuation was found.
      streamed.release();
      void streamed.flow.cancel(error);
      routed.target.abandon(routed.ticket, this.#deps.clock.monotonic());
      return undefined;
    }
    this.#routed = routed;
    this.#flow = streamed.flow;
    exchange.answers(routed.target, routed.offer, routed.opened.lane);
    return streamed;
  }

  ended(end: StreamEnd, sent: number): void {
    this.#recipient.stopLimit();
    const failed = 'error' in end ? end.error : undefined;
    this.#settle(failed, end.outcome === 'truncated');
    const { tap } = this.#first;
    const finish = (text: () => string | undefined) => this.#finish(end, sent, failed, text);
    // The record of a long answer waits until that is written as JSON.
    if (tap && tap.kept > LONG)
      void this.#assembled(tap).then((text) => finish(() => text), rethrownBy(finish));
    else finish(() => tap && atOnce(tap.assembled()));
  }

  async #assembled(tap: Tap): Promise<string | undefined> {
    return await this.#deps.turns.run(tap.assembled());
  }

  #finish(
    end: StreamEnd,
    sent: number,
    failed: ProxyError | undefined,
    text: () => string | undefined,
  ): void {
    const { tap } = this.#first;
    const { parts, usage } = this.#resumer;
    const answer = {
      usage,
      finish: tap?.finish ?? null,
      bytes: sent,
      written: () => tap?.written ?? 0,
      text,
      parts: parts && [...parts],
      malformed: tap?.malformed ?? 0,
      lost: tap?.lost?.names(),
    };
    // A complete answer with an unknown finish reason is recorded with that.
    const oddity = failed ? undefined : tap?.oddity(this.#routed.target.id);
    const outcome = oddity ? 'truncated' : end.outcome;
    this.#recipient.exchange.finish({ outcome, status: this.#status, error: failed ?? oddity, answer });
  }

  /** Whether it may use more, if its limits interrupt a stream that uses too much. */
  overuse(): ProxyError | undefined {
    const { tap } = this.#first;
    return tap && this.#recipient.exchange.overuse(tap.written);
  }

  stalled(): void {
    this.#recipient.caller.stalled();
  }

  /** Reports the end of its part to the target. @param counts whether a failure may count against it */
  #settle(error: ProxyError | undefined, counts: boolean): void {
    const { clock } = this.#deps;
    const { target, ticket, beganMs, opened } = this.#routed;
    const tap = opened.answer.kind === 'stream' ? opened.answer.flow.tap : undefined;
    if (tap) target.used(ticket, tap.usage, () => tap.written);
    const nowMs = clock.monotonic();
    if (!error) target.succeed(ticket, nowMs, nowMs - beganMs);
    else if (counts) target.fail(ticket, error, nowMs, clock.now());
    else target.abandon(ticket, nowMs);
    this.#resumer.ended(this.#routed, error);
  }
}

/** Passes on an error where the text is needed. */
function rethrownBy(finish: (text: () => string | undefined) => void): (thrown: unknown) => void {
  return (thrown) =>
    finish(() => {
      throw thrown;
    });
}
