import type { Clock } from '../../clock.ts';
import type { Timeouts } from '../../config/schema.ts';
import type { Share } from '../attempts/share.ts';
import { ProxyError } from '../../errors.ts';

export type Limit = keyof Timeouts;

/** Milliseconds. */
export type Limits = Readonly<Required<Timeouts>>;

const MINUTE = 60_000;

/** The defaults. An unstreamed answer begins when it is complete. */
const DEFAULTS: Limits = {
  connect: 10_000,
  first_byte: MINUTE,
  first_content: 5 * MINUTE,
  idle: 2 * MINUTE,
  total: 60 * MINUTE,
};
const UNSTREAMED_FIRST_BYTE = 10 * MINUTE;

/** A model's timeouts, then its provider's, then the defaults. */
export function limitsOf(stream: boolean, provider: Timeouts, model: Timeouts = {}): Limits {
  const firstByte = stream ? DEFAULTS.first_byte : UNSTREAMED_FIRST_BYTE;
  return {
    connect: model.connect ?? provider.connect ?? DEFAULTS.connect,
    first_byte: model.first_byte ?? provider.first_byte ?? firstByte,
    first_content: model.first_content ?? provider.first_content ?? DEFAULTS.first_content,
    idle: model.idle ?? provider.idle ?? DEFAULTS.idle,
    total: model.total ?? provider.total ?? DEFAULTS.total,
  };
}

const LACKING: Readonly<Record<Limit, string>> = {
  connect: 'no connection',
  first_byte: 'no answer',
  first_content: 'no content',
  idle: 'silence',
  total: 'not done',
};

export interface TimersOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** "provider/model" */
  readonly target: string;
  readonly stream: boolean;
  /** The attempt's share of the deadline, if other targets wait. */
  readonly share: Share | undefined;
  /** Whether a connection can be opened within this many milliseconds. */
  readonly reachable: (ms: number) => Promise<boolean>;
  readonly expired: (error: ProxyError) => void;
}

/**
 * The timeouts of one attempt, on a single timer: it checks what is due when it fires and sleeps until the next one.
 * All count from the attempt's beginning, except `idle`, which counts while bytes are waited for: a slow client is not
 * a silent provider. Keep-alive messages extend it only for as long as the first content may take: an answer must make
 * progress.
 */
export class AttemptTimers {
  readonly #options: TimersOptions;
  readonly #due: Record<Limit | 'content' | 'share', number>;
  #idles = false;
  /** How much longer content may be waited for, whatever else arrives; `undefined` while it arrives. */
  #contentLeftMs: number | undefined;
  #armedMs = Infinity;
  #cancel: (() => void) | undefined;

  constructor(options: TimersOptions) {
    this.#options = options;
    const { clock, limits, stream, share } = options;
    const nowMs = clock.monotonic();
    this.#due = {
      // No event reports that a connection has opened: after half of the time without a response, another one is tried.
      connect: nowMs + limits.connect / 2,
      first_byte: nowMs + limits.first_byte,
      first_content: stream ? nowMs + limits.first_content : Infinity,
      idle: Infinity,
      content: Infinity,
      total: nowMs + limits.total,
      share: nowMs + (share?.ms ?? Infinity),
    };
    this.#arm(nowMs);
  }

  /** The headers have arrived. @param content whether the first content is still to come, as in a stream */
  answered(content: boolean): void {
    this.#due.connect = this.#due.first_byte = Infinity;
    if (!content) this.begun();
  }

  /** The answer is on its way to the client: from here on no other target waits. */
  committed(): void {
    this.#due.share = Infinity;
  }

  /** The content has begun, or is not parsed: from here on silence counts. */
  begun(): void {
    this.#due.first_content = Infinity;
    this.#idles = true;
  }

  /** Bytes are waited for from now on. */
  listen(): void {
    if (!this.#idles || !this.#cancel) return;
    const { clock, limits } = this.#options;
    const nowMs = clock.monotonic();
    this.#due.idle = nowMs + limits.idle;
    this.#contentLeftMs ??= limits.first_content;
    if (this.#due.content === Infinity) this.#due.content = nowMs + this.#contentLeftMs;
    if (Math.min(this.#due.idle, this.#due.content) < this.#armedMs) this.#arm(nowMs);
  }

  /** They have arrived. */
  heard(): void {
    if (this.#contentLeftMs !== undefined && this.#due.content !== Infinity) {
      this.#contentLeftMs = this.#due.content - this.#options.clock.monotonic();
    }
    this.#due.idle = this.#due.content = Infinity;
  }

  /** And they contained content, not just a keep-alive. */
  progressed(): void {
    this.#contentLeftMs = undefined;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(nowMs: number): void {
    const { connect, first_byte, first_content, idle, content, total, share } = this.#due;
    this.#cancel?.();
    this.#armedMs = Math.min(connect, first_byte, first_content, idle, content, total, share);
    this.#cancel = this.#options.clock.after(this.#armedMs - nowMs, this.#look);
  }

  readonly #look = (): void => {
    const nowMs = this.#options.clock.monotonic();
    if (this.#due.connect <= nowMs) {
      this.#due.connect = Infinity;
      void this.#tryConnection();
    }
    for (const limit of ['first_byte', 'first_content', 'idle', 'total'] as const) {
      if (this.#due[limit] <= nowMs) return this.#expire(limit);
    }
    if (this.#due.content <= nowMs) return this.#expire('idle');
    if (this.#due.share <= nowMs) return this.#fail(this.#options.share!.late);
    this.#arm(nowMs);
  };

  async #tryConnection(): Promise<void> {
    const { reachable, limits } = this.#options;
    if (await reachable(limits.connect / 2)) return;
    if (this.#due.first_byte !== Infinity && this.#cancel) this.#expire('connect');
  }

  #expire(limit: Limit): void {
    const { target } = this.#options;
    const message = `Cannot wait longer for ${target}: ${LACKING[limit]} within timeout.${limit}`;
    this.#fail(new ProxyError(`timeout_${limit}`, message, { target }));
  }

  #fail(error: ProxyError): void {
    this.stop();
    this.#options.expired(error);
  }
}
