import type { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { BaseProvider, PassCall, UpstreamReply } from '../../providers/base.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import type { Exchange } from '../record/exchange.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { beginning } from '../../providers/beginning.ts';
import { networkError } from '../../providers/transport.ts';
import { classifyStatus } from '../../wire/classify.ts';
import { headerMap } from '../../wire/headers.ts';
import { refusalOf } from '../attempts/refusal.ts';
import { invalidStatus } from '../streams/reading.ts';
import { Silence } from '../streams/silence.ts';
import { limitsOf } from '../streams/timers.ts';
import { UsageFinder } from '../streams/usage-finder.ts';

export interface PassageDeps {
  readonly clock: Clock;
  /** Redacts a provider's text. */
  readonly mask: (text: string) => string;
  /** The largest body in either direction, bytes. */
  readonly maxBytes: number;
  /** How long a client may pause while sending its body, milliseconds. */
  readonly bodyStallMs: number;
}

/** A request that is passed through. */
export interface Passing {
  readonly provider: BaseProvider;
  readonly call: PassCall;
}

/** Its response. */
export interface Passed {
  readonly status: number;
  readonly upstream: HeaderMap;
  readonly body: ReadableStream<Uint8Array> | string | null;
}

type Piece = { done: false; value: Uint8Array } | { done: true; value?: unknown };

/** What a reader of a stream can do, as far as it is needed here; the types of Bun's and Node's differ. */
interface Reader {
  readonly read: () => Promise<Piece>;
  readonly cancel: () => Promise<void>;
}

/** One request on its way. */
export class Passage {
  readonly #passing: Passing;
  readonly #exchange: Exchange;
  readonly #abort: Abort;
  readonly #deps: PassageDeps;
  readonly #silence: Silence;
  readonly #finder: UsageFinder | undefined;
  readonly #beganMs: number;
  #late: ProxyError | undefined;
  #sent = 0;
  #received = 0;

  constructor(passing: Passing, exchange: Exchange, abort: Abort, deps: PassageDeps) {
    this.#passing = passing;
    this.#exchange = exchange;
    this.#abort = abort;
    this.#deps = deps;
    this.#silence = new Silence(deps.clock, () => abort.abort(this.#late));
    // Resources that are polled, such as a batch, report their usage each time.
    this.#finder = passing.call.method === 'POST' ? new UsageFinder('chat', {}) : undefined;
    this.#beganMs = deps.clock.monotonic();
  }

  async run(): Promise<Passed> {
    const { provider, call } = this.#passing;
    let reply: UpstreamReply;
    try {
      this.#awaitAnswer();
      reply = await provider.pass({ ...call, body: this.#body() }, this.#abort.signal);
    } catch (thrown) {
      this.#silence.stop();
      // An error in the request's body is ours, whatever the connection reports.
      const error = this.#abort.aborted ? this.#abort.reason : thrown;
      this.#report(error instanceof ProxyError ? error : undefined, null);
      throw error;
    }
    const { status } = reply;
    const flaw = invalidStatus(status);
    if (flaw !== undefined) throw this.#giveUp(reply, this.#unfit('malformed', flaw));
    if (status >= 300 && status !== 304) return await this.#refused(reply);
    const upstream = headerMap(reply.headers);
    if (!reply.body || status === 204 || status === 304 || call.method === 'HEAD') {
      this.#report(undefined, status);
      this.#finish(status, undefined);
      void reply.body?.cancel();
      return { status, upstream, body: null };
    }
    const reader = reply.body.getReader();
    // Until something has arrived, a failure can still be answered with a status of its own.
    const first = await this.#next(reader).catch((error: ProxyError) => {
      throw this.#giveUp({ status, body: reader }, error);
    });
    this.#report(undefined, status);
    return { status, upstream, body: this.#answer(reader, first, status) };
  }

  /** Gives up an answer of which nothing was passed on. @returns the error */
  #giveUp(
    { status, body }: { status: number; body: Pick<Reader, 'cancel'> | null },
    error: ProxyError,
  ): ProxyError {
    this.#silence.stop();
    this.#report(error, status);
    void body?.cancel().catch(() => undefined);
    return error;
  }

  /** The body as it passes, counted. */
  #body(): PassCall['body'] {
    const { body } = this.#passing.call;
    if (!(body instanceof ReadableStream)) {
      this.#received = body?.length ?? 0;
      this.#exchange.received(this.#received);
      return body;
    }
    const { bodyStallMs, maxBytes } = this.#deps;
    const reader = body.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        this.#wait(
          bodyStallMs,
          new ProxyError(
            'request_timeout',
            'Cannot read the request: nothing arrived for limits.body_timeout',
          ),
        );
        const { done, value } = await reader.read();
        this.#awaitAnswer();
        if (done) {
          this.#exchange.received(this.#received);
          return controller.close();
        }
        this.#received += value.length;
        this.#exchange.received(this.#received);
        if (this.#received <= maxBytes) return controller.enqueue(value);
        this.#abort.abort(tooLarge(maxBytes));
        controller.error();
      },
      cancel: (reason) => void reader.cancel(reason).catch(() => undefined),
    });
  }

  /** The next piece of an answer. @throws ProxyError */
  async #next(reader: Reader): Promise<Piece> {
    const { provider } = this.#passing;
    const { idle } = limitsOf(false, provider.settings.timeouts);
    this.#wait(idle, this.#timeout('timeout_idle', 'silence within timeout.idle'));
    try {
      return await reader.read();
    } catch (cause) {
      const { aborted, reason } = this.#abort;
      throw aborted && reason instanceof ProxyError ? reason : networkError(provider.name, cause);
    } finally {
      this.#silence.stop();
    }
  }

  #answer(reader: Reader, first: Piece, status: number): ReadableStream<Uint8Array> {
    const { maxBytes } = this.#deps;
    let ahead: Piece | undefined = first;
    return new ReadableStream(
      {
        pull: async (controller) => {
          try {
            const { done, value } = ahead ?? (await this.#next(reader));
            ahead = undefined;
            if (done) {
              this.#finish(status, undefined);
              return controller.close();
            }
            this.#sent += value.length;
            this.#finder?.push(value);
            if (this.#sent <= maxBytes) return controller.enqueue(value);
            throw this.#unfit('too_long', `it is larger than ${maxBytes} bytes (limits.max_passthrough)`);
          } catch (thrown) {
            this.#finish(status, toProxyError(thrown));
            void reader.cancel().catch(() => undefined);
            // Bun prints errors on stderr with their stack; an error without one prints nothing.
            controller.error();
          }
        },
        cancel: () => {
          const error = new ProxyError(
            'client_abort',
            'Cannot finish the answer: the client closed the connection',
          );
          this.#finish(status, error);
          this.#abort.abort(error);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** An error in the provider's words, without what concerns the operator's key. */
  async #refused({ status, headers, body }: UpstreamReply): Promise<Passed> {
    // If the body breaks off, its beginning is all that can be reported.
    const text = await beginning(body).catch(() => '');
    this.#silence.stop();
    const { provider } = this.#passing;
    if (status < 400) {
      const error = this.#unfit('server', 'it is a redirect');
      this.#report(error, status);
      throw error;
    }
    const classified = classifyStatus(status, headers, text);
    const nowMs = this.#deps.clock.now();
    const error = refusalOf(classified, { target: provider.name, body: text, nowMs }).reworded(
      this.#deps.mask,
    );
    this.#report(error, status);
    if (error.refusesKey) throw error;
    const words = this.#deps.mask(text);
    this.#sent = Buffer.byteLength(words);
    this.#finish(status, error);
    return { status, upstream: headerMap(headers), body: words };
  }

  #unfit(fault: 'malformed' | 'server' | 'too_long', state: string): ProxyError {
    const target = this.#passing.provider.name;
    return new ProxyError(fault, `Cannot pass on the answer of ${target}: ${state}`);
  }

  #awaitAnswer(): void {
    const { first_byte: ms } = limitsOf(false, this.#passing.provider.settings.timeouts);
    this.#wait(ms, this.#timeout('timeout_first_byte', 'no answer within timeout.first_byte'));
  }

  #wait(ms: number, late: ProxyError): void {
    this.#late = late;
    this.#silence.wait(ms);
  }

  #timeout(fault: 'timeout_first_byte' | 'timeout_idle', state: string): ProxyError {
    const target = this.#passing.provider.name;
    return new ProxyError(fault, `Cannot wait longer for ${target}: ${state}`, { target });
  }

  #report(error: ProxyError | undefined, status: number | null): void {
    const ms = this.#deps.clock.monotonic() - this.#beganMs;
    this.#exchange.passed(ms, error?.fault ?? null, status);
  }

  #finish(status: number, error: ProxyError | undefined): void {
    this.#silence.stop();
    const left = error?.fault === 'client_abort';
    const outcome = !error ? 'success' : left ? 'client_abort' : status >= 400 ? 'error' : 'truncated';
    this.#exchange.finish({
      outcome,
      status,
      error,
      answer: {
        usage: this.#finder?.usage,
        finish: null,
        bytes: this.#sent,
        text: () => undefined,
        malformed: 0,
      },
    });
  }
}

/** The error for a body above the limit. */
export function tooLarge(maxBytes: number): ProxyError {
  const state = `its body is larger than ${maxBytes} bytes (limits.max_passthrough)`;
  return new ProxyError('too_large', `Cannot pass the request on: ${state}`);
}
