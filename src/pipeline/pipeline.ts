import type { Clock } from '../clock.ts';
import type { ProxyError } from '../errors.ts';
import type { Streamed, Whole } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { Inbound } from './inbound.ts';
import type { ModelRegistry } from './models.ts';
import type { RequestRouter, Routed } from './router.ts';
import type { StreamEnd } from './pump.ts';
import { toProxyError } from '../errors.ts';
import { pump } from './pump.ts';

/** What the client gets. */
export interface Reply {
  readonly status: number;
  /** The provider's headers, as they came; the edge chooses which of them travel on. */
  readonly upstream: Headers;
  readonly body: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;
  readonly translated: boolean;
  /** Request fields that the target could not take. */
  readonly dropped: readonly string[];
}

export interface PipelineDeps {
  readonly clock: Clock;
  readonly registry: ModelRegistry;
  readonly router: RequestRouter;
  readonly keepaliveMs: number;
}

/** What happens to one request between the server and the providers: find targets, route, settle, record. */
export class Pipeline {
  readonly #deps: PipelineDeps;

  constructor(deps: PipelineDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a request. The exchange is finished when the answer has ended, also when that is later.
   * @param signal aborts with a ProxyError when the client leaves
   * @throws ProxyError; then the exchange is left for the caller to finish with the status it sends
   */
  async handle(inbound: Inbound, exchange: Exchange, signal: AbortSignal): Promise<Reply> {
    const candidates = this.#deps.registry.resolve(inbound.model, inbound.endpoint);
    const routed = await this.#deps.router.route({
      inbound,
      candidates,
      signal,
      attempted: ({ target, ms, error, status }) =>
        exchange.attempted(target, ms, error?.fault ?? null, status),
    });
    const { opened } = routed;
    exchange.lane = opened.lane;
    const body =
      opened.answer.kind === 'whole'
        ? this.#settleWhole(routed, opened.answer, exchange)
        : this.#settleStream(routed, opened.answer, exchange);
    return {
      status: opened.status,
      upstream: opened.headers,
      body,
      translated: opened.lane === 'translate',
      dropped: opened.dropped,
    };
  }

  #settleWhole({ opened, ticket, beganMs }: Routed, whole: Whole, exchange: Exchange): Whole['body'] {
    const nowMs = this.#deps.clock.monotonic();
    opened.target.succeed(ticket, nowMs, nowMs - beganMs);
    exchange.usage = whole.usage;
    exchange.finishReason = whole.finish;
    exchange.responseBytes = whole.bytes;
    exchange.responseText = () => whole.text;
    exchange.finish({ outcome: 'success', status: opened.status });
    return whole.body;
  }

  #settleStream({ opened, ticket, beganMs }: Routed, streamed: Streamed, exchange: Exchange): ReadableStream {
    const { clock, keepaliveMs } = this.#deps;
    const { target, status } = opened;
    const { tap } = streamed.flow;
    if (tap) exchange.firstContent();
    const ended = (end: StreamEnd): void => {
      const nowMs = clock.monotonic();
      if (end.outcome === 'success') target.succeed(ticket, nowMs, nowMs - beganMs);
      else if (end.outcome === 'truncated') target.fail(ticket, end.error, nowMs, clock.now());
      else target.abandon(ticket, nowMs);
      exchange.usage = tap?.usage;
      exchange.finishReason = tap?.finish ?? null;
      exchange.responseText = () => tap?.assembled();
      exchange.finish({ outcome: end.outcome, status, error: 'error' in end ? end.error : undefined });
    };
    return pump(streamed, {
      clock,
      requestId: exchange.id,
      keepaliveMs,
      sent: (bytes) => (exchange.responseBytes += bytes),
      ended,
    });
  }
}

/** Finishes an exchange that ended in an error before any of its answer was sent. */
export function finishFailed(exchange: Exchange, thrown: unknown, status: number): ProxyError {
  const error = toProxyError(thrown);
  exchange.finish({ outcome: error.fault === 'client_abort' ? 'client_abort' : 'error', status, error });
  return error;
}
