import type { Abort } from '../abort.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Clock } from '../clock.ts';
import type { Streamed, Whole } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { Inbound } from './inbound.ts';
import type { ModelRegistry } from './models.ts';
import type { StreamEnd } from './pump.ts';
import type { ResumeDeps } from './resume.ts';
import type { Job, Routed } from './router.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { endingError, endingOf, untoldEnding } from '../wire/endings.ts';
import { saysWhy } from '../wire/endpoints.ts';
import { pump } from './pump.ts';
import { Resumer } from './resume.ts';

/** What the client gets. */
export interface Reply {
  readonly status: number;
  /** The provider's headers, as they came; the edge chooses which of them travel on. */
  readonly upstream: HeaderMap;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** The body's type, where it is not the provider's bytes as they came. */
  readonly made: 'application/json' | 'text/event-stream' | undefined;
  /** Request fields that the target could not take. */
  readonly dropped: readonly string[];
}

/** Who waits for the answer. */
export interface Caller {
  /** Aborts with a ProxyError when it leaves. */
  readonly abort: Abort;
  /** It took nothing for too long: its connection may be closed. */
  readonly stalled: () => void;
}

export interface PipelineDeps extends ResumeDeps {
  readonly clock: Clock;
  readonly registry: ModelRegistry;
  /** Takes secrets out of what a provider says. */
  readonly mask: (text: string) => string;
  readonly keepaliveMs: number;
  readonly stallMs: number;
}

/** What happens to one request between the server and the providers: find targets, route, settle, record. */
export class Pipeline {
  readonly #deps: PipelineDeps;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a request. The exchange is finished when the answer has ended, also when that is later.
   * @throws ProxyError; then the exchange is left for the caller to finish with the status it sends
   */
  async handle(inbound: Inbound, exchange: Exchange, caller: Caller): Promise<Reply> {
    const { candidates, policy } = this.#deps.registry.resolve(inbound.model, inbound.endpoint);
    const job: Job = {
      inbound,
      candidates,
      policy,
      abort: caller.abort,
      deadlineMs: Math.min(inbound.beginWithinMs, inbound.endWithinMs),
      attempted: ({ target, offer, ms, error, status }) =>
        exchange.attempted(target, offer, ms, error?.fault ?? null, status),
    };
    const routed = await this.#deps.router.route(job);
    const { opened } = routed;
    exchange.answers(routed.target, routed.offer, opened.lane);
    const body =
      opened.answer.kind === 'whole'
        ? this.#settleWhole(routed, opened.answer, exchange)
        : this.#settleStream(job, routed, opened.answer, exchange, caller);
    const made =
      opened.answer.kind === 'whole' ? opened.answer.made : opened.answer.flow.tap && 'text/event-stream';
    return { status: opened.status, upstream: opened.headers, body, made, dropped: opened.dropped };
  }

  #settleWhole({ opened, target, ticket, beganMs }: Routed, whole: Whole, exchange: Exchange): Whole['body'] {
    const nowMs = this.#deps.clock.monotonic();
    target.succeed(ticket, nowMs, nowMs - beganMs);
    exchange.usage = whole.usage;
    exchange.finishReason = whole.finish;
    exchange.responseBytes = whole.body.length;
    exchange.responseText = () => whole.text;
    const untold = whole.finish === null && saysWhy(exchange.endpoint) ? untoldEnding(target.id) : undefined;
    this.#finish(exchange, opened.status, untold ?? endingError(endingOf('chat', whole.finish), target.id));
    return whole.body;
  }

  /** A complete answer. @param oddity what it is recorded with when nobody knows its finish reason */
  #finish(exchange: Exchange, status: number, oddity: ProxyError | undefined): void {
    exchange.finish(
      oddity ? { outcome: 'truncated', status, error: oddity } : { outcome: 'success', status },
    );
  }

  #settleStream(
    job: Job,
    first: Routed,
    streamed: Streamed,
    exchange: Exchange,
    caller: Caller,
  ): ReadableStream<Uint8Array> {
    const { clock, keepaliveMs, stallMs } = this.#deps;
    let { flow } = streamed;
    const { tap } = flow;
    const resumer = new Resumer(job, this.#deps);
    const stopLimit = this.#limitWhole(job, exchange);
    let routed = first;
    if (tap) exchange.firstContent();
    const settle = (error: ProxyError | undefined, counts: boolean): void => {
      const nowMs = clock.monotonic();
      if (!error) routed.target.succeed(routed.ticket, nowMs, nowMs - routed.beganMs);
      else if (counts) routed.target.fail(routed.ticket, error, nowMs, clock.now());
      else routed.target.abandon(routed.ticket);
      resumer.ended(routed, error);
    };
    const resume = async (error: ProxyError): Promise<Streamed | undefined> => {
      settle(error, true);
      const rest = await resumer.resume(routed, flow, error);
      if (!rest) return undefined;
      if (exchange.over) {
        // The client left in the very moment the rest was found.
        rest.streamed.release();
        void rest.streamed.flow.cancel(error);
        rest.routed.target.abandon(rest.routed.ticket);
        return undefined;
      }
      routed = rest.routed;
      flow = rest.streamed.flow;
      exchange.answers(routed.target, routed.offer, routed.opened.lane);
      return rest.streamed;
    };
    const ended = (end: StreamEnd): void => {
      stopLimit();
      settle('error' in end ? end.error : undefined, end.outcome === 'truncated');
      exchange.parts = resumer.parts && [...resumer.parts];
      exchange.usage = resumer.usage;
      exchange.malformed = tap?.malformed ?? 0;
      exchange.finishReason = tap?.finish ?? null;
      exchange.responseText = () => tap?.assembled();
      const { status } = first.opened;
      if (end.outcome === 'success') this.#finish(exchange, status, tap?.oddity(routed.target.id));
      else exchange.finish({ outcome: end.outcome, status, error: end.error });
    };
    const sent = (bytes: number) => void (exchange.responseBytes += bytes);
    const { stalled } = caller;
    return pump(streamed, {
      clock,
      requestId: exchange.id,
      mask: this.#deps.mask,
      keepaliveMs,
      stallMs,
      resume,
      sent,
      ended,
      stalled,
    });
  }

  /** The caller's own deadline holds for the whole stream. @returns how to lift it */
  #limitWhole({ inbound, abort }: Job, exchange: Exchange): () => void {
    if (inbound.endWithinMs === Infinity) return () => undefined;
    return this.#deps.clock.after(inbound.endWithinMs - exchange.elapsedMs, () =>
      abort.abort(new ProxyError('deadline', "Cannot finish in time: the caller's deadline has passed")),
    );
  }
}

/** Finishes an exchange that ended in an error before any of its answer was sent. */
export function finishFailed(exchange: Exchange, thrown: unknown, status: number): ProxyError {
  const error = toProxyError(thrown);
  exchange.finish({ outcome: error.fault === 'client_abort' ? 'client_abort' : 'error', status, error });
  return error;
}
