import type { Events } from '../../wire/long-events.ts';
import type { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { UsageFinder } from './usage-finder.ts';
import type { Steps, Turns } from '../../turns.ts';
import type { Answering, Continuation, Fold, Folded } from '../lanes/lane.ts';
import type { Tap } from './tap.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Defects } from './defects.ts';
import type { Encoding } from '../../wire/encoding.ts';
import type { AttemptTimers } from './timers.ts';
import { Inflater } from '../../wire/encoding.ts';
import { ProxyError } from '../../errors.ts';
import { isSteps } from '../../turns.ts';
import { Pieces } from './pieces.ts';
import { brokenBy, understood, understoodLater } from './reading.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A reader of a body. */
export interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Bytes | undefined }>;
  cancel(reason: unknown): Promise<void>;
}

/** How an answer in progress is read. `abort` ends it; its reason says why. */
export interface FlowOptions {
  readonly reader: BodyReader;
  /** Omitted when the answer is only passed on. */
  readonly reading: { readonly fold: Fold; readonly tap: Tap } | undefined;
  /** Sees what is only passed on, unless it is compressed. */
  readonly finder?: UsageFinder | undefined;
  readonly encoding: Encoding | 'identity';
  /** Whether what is only passed on is decompressed as well; what is parsed always is. */
  readonly unpacks: boolean;
  readonly defects: Defects;
  readonly target: string;
  readonly abort: Abort;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly timers: Pick<AttemptTimers, 'listen' | 'heard' | 'progressed'>;
  /** The largest answer, bytes as received. */
  readonly maxBytes: number;
}

/** How long a stream that lacks only its terminator may take to send it, milliseconds. */
const LINGER_MS = 1_000;

/** The same for one that has its finish reason, but whose usage, or another tool call, may follow. */
const LINGER_FOR_MORE_MS = 15_000;

/** An answer on its way to the client, piece by piece. */
export interface Flow {
  /** What is known about the answer; omitted when it is not parsed. */
  readonly tap: Tap | undefined;
  /** Its usage, as far as known. */
  readonly usage: Usage | undefined;
  /**
   * The next bytes for the client, which may be empty; `undefined` at the end of the upstream's body.
   * @throws ProxyError `network`, `malformed` or `too_long`, the provider's own error event, or the reason of the abort
   */
  next(): Promise<Uint8Array | undefined>;
  /**
   * Called at the end of the upstream's body: the remaining bytes for the client.
   * @throws ProxyError `truncated` when the answer is not complete, or the provider's own error event
   */
  finish(): Uint8Array | undefined;
  /** The answer failed: the client's last events. */
  fail(error: ProxyError, requestId: string): Events;
  /** Continues with another target's answer. `undefined` if the answer is not parsed. */
  goOn(client: Answering): Continuation | undefined;
  /** The client has the whole answer: reads the rest, so that the connection can be reused. */
  drain(): Promise<void>;
  /** Cancels the upstream. */
  cancel(reason: unknown): Promise<void>;
}

/** Upstream chunks in, client chunks out, one at a time. */
export class UpstreamFlow implements Flow {
  readonly #options: FlowOptions;
  readonly #inflater: Inflater | undefined;
  readonly #pieces = new Pieces();
  #bytes = 0;
  /** Whether the upstream's body has ended. */
  #ended = false;
  /** Whether the decompressor may have more data without another chunk. */
  #inflating = false;
  /** How long, and until when, the missing part is waited for; keep-alive comments do not extend it. */
  #lingering: { readonly forMs: number; readonly untilMs: number } | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { reading, encoding, unpacks } = options;
    // A parsed stream is sent uncompressed: an event of the proxy must fit between two of the provider's.
    this.#inflater = (reading || unpacks) && encoding !== 'identity' ? new Inflater(encoding) : undefined;
  }

  get tap(): Tap | undefined {
    return this.#options.reading?.tap;
  }

  get usage(): Usage | undefined {
    const { reading, finder } = this.#options;
    return reading ? reading.tap.usage : finder?.usage;
  }

  async next(): Promise<Uint8Array | undefined> {
    const { reading, timers, finder, encoding } = this.#options;
    if (reading?.tap.error) throw reading.tap.error;
    const piece = await (this.#inflater ? this.#inflated(this.#inflater) : this.#chunk());
    if (piece === undefined) return await this.#rest();
    this.#count(piece);
    if (!reading) {
      timers.progressed();
      if (this.#inflater || encoding === 'identity') finder?.push(piece);
      return piece;
    }
    const { tap, fold } = reading;
    const { chunks } = tap;
    const made = this.#folded(() => fold.push(piece));
    const folded = (made instanceof Promise ? await made : made) ?? EMPTY;
    if (tap.chunks !== chunks) {
      timers.progressed();
      this.#lingering = undefined;
    }
    if (tap.error && folded.length === 0) throw tap.error;
    return folded;
  }

  /**
   * What becomes readable at the end of the body, once: an event may lack its blank line. The client also gets it when
   * the answer turns out to be truncated, but never half an event.
   */
  async #rest(): Promise<Uint8Array | undefined> {
    const { reading } = this.#options;
    if (!reading || this.#ended) return undefined;
    this.#ended = true;
    const { tap, fold } = reading;
    const { chunks } = tap;
    const rest = await this.#folded(() => fold.end());
    const isWhole = tap.chunks !== chunks || tap.done;
    return isWhole && rest && rest.length > 0 ? rest : undefined;
  }

  #chunk(): Promise<Bytes | undefined> {
    return this.tap?.complete ? this.#linger() : this.#read();
  }

  /** Steps are awaited; nearly always the work completes at once. */
  #folded(fold: () => Folded | Steps<Folded>): Folded | Promise<Folded> {
    const { target, defects, turns } = this.#options;
    const folded = understood(target, defects, fold);
    return isSteps(folded) ? understoodLater(target, defects, async () => await turns.run(folded)) : folded;
  }

  /** The size of what has passed, decompressed if it is decompressed: a few bytes may expand to gigabytes. */
  #count({ length }: Uint8Array): void {
    this.#bytes += length;
    const { maxBytes, target } = this.#options;
    if (this.#bytes <= maxBytes) return;
    const state = `it is larger than ${maxBytes} bytes (limits.max_response)`;
    throw new ProxyError('too_long', `Cannot continue the answer of ${target}: ${state}`, { target });
  }

  finish(): Uint8Array | undefined {
    const { reading, target } = this.#options;
    this.#inflater?.close();
    if (!reading) return undefined;
    const { tap } = reading;
    if (tap.error) throw tap.error;
    if (!tap.finished && !tap.done) {
      throw new ProxyError('truncated', `Cannot complete the answer of ${target}: its stream was cut`, {
        target,
      });
    }
    return undefined;
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#options.reading?.fold.fail(error, requestId) ?? '';
  }

  goOn(client: Answering): Continuation | undefined {
    return this.#options.reading?.fold.goOn(client);
  }

  async drain(): Promise<void> {
    this.#lingering = undefined;
    try {
      while ((await this.#linger()) !== undefined);
    } catch {
      // It is no longer awaited.
    }
    this.#inflater?.close();
  }

  async cancel(reason: unknown): Promise<void> {
    this.#inflater?.close();
    await this.#options.reader.cancel(reason).catch(ignoreClosed);
  }

  /** Reads, but not for long: `undefined` also when nothing arrives. */
  async #linger(): Promise<Bytes | undefined> {
    const { clock } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const forMs = (this.tap?.settled ?? true) ? LINGER_MS : LINGER_FOR_MORE_MS;
    if (this.#lingering?.forMs !== forMs) this.#lingering = { forMs, untilMs: clock.monotonic() + forMs };
    const stop = clock.after(this.#lingering.untilMs - clock.monotonic(), () => resolve(undefined));
    const value = await Promise.race([this.#read().catch(ignoreClosed), late]);
    stop();
    if (value === undefined) await this.cancel('complete');
    return value;
  }

  async #read(): Promise<Bytes | undefined> {
    const { reader, abort, target, timers, turns } = this.#options;
    const pause = turns.pause();
    if (pause) await pause;
    const piece = this.#pieces.next();
    if (piece) return piece;
    timers.listen();
    try {
      const { value } = await reader.read();
      timers.heard();
      return value && this.#pieces.first(value);
    } catch (cause) {
      throw abort.aborted ? abort.reason : brokenBy(target, cause);
    }
  }

  /** The next piece from the decompressor, which gets another chunk only when it is empty. */
  async #inflated(inflater: Inflater): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#inflating) {
        const pause = this.#options.turns.pause();
        if (pause) await pause;
        const piece = await inflater.read().catch((cause: unknown) => this.#notCompressed(cause));
        if (piece) return piece;
        this.#inflating = false;
      }
      if (inflater.ended) return undefined;
      const chunk = await this.#chunk();
      // A parsed stream shows itself whether it is complete.
      if (chunk === undefined && this.#options.reading) return undefined;
      if (chunk === undefined) inflater.end();
      else inflater.write(chunk);
      this.#inflating = true;
    }
  }

  #notCompressed(cause: unknown): never {
    const { target } = this.#options;
    const message = `Cannot read the stream of ${target}: it is not compressed as declared`;
    throw new ProxyError('malformed', message, { target, cause });
  }
}

const EMPTY = new Uint8Array();

/** Cancelling a body that has failed rejects with an error that is already known. */
function ignoreClosed(_error: unknown): undefined {
  return undefined;
}
