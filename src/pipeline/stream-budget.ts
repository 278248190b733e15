import type { Clock } from '../clock.ts';

/** A stream on its way to a client. */
export interface WatchedStream {
  /** Whether the client has taken all that there was; otherwise it is behind, and what comes is held for it. */
  readonly waits: boolean;
  /** Bytes that it took so far. */
  readonly sent: number;
  /** Bytes that are held for it while it is behind. */
  readonly held: number;
  /** Ends it: it holds too much while it takes too little. */
  cut(): void;
  /** Bytes of the answer that are put together for its record. */
  readonly kept: number;
  /** Leaves the answer out of its record: all together keep too much. */
  letGo(): void;
}

/** Bounds on all streams together, bytes. */
export interface StreamLimits {
  /** What is held for clients that are behind. */
  readonly unread: number;
  /** What is put together for records. */
  readonly recording: number;
}

/** How often it is looked at who is behind, milliseconds. */
const EVERY_MS = 500;

/**
 * What one stream holds whose client is behind, bytes. Most of it is out of sight: the engine reads a megabyte ahead in a
 * buffer of two, and the megabyte before it is cut into pieces here. With 200 such streams Bun 1.4.5 holds 3.6 MB for each.
 */
export const HELD_BY_STREAM = 4 * 1024 * 1024;

/**
 * The memory of all streams. Where those whose clients are behind hold more than is allowed, those are cut that took least
 * since it was last looked at, until the others fit. Where more is put together for records than is allowed, the longest
 * answers are left out of theirs. Each look is at all of them, so that a stream costs nothing meanwhile but its place in a list.
 */
export class StreamBudget {
  readonly #clock: Clock;
  /** What each stream had sent when it was last looked at; `undefined` while it is new. */
  readonly #streams = new Map<WatchedStream, number | undefined>();
  #stop: (() => void) | undefined;
  limits: StreamLimits;

  constructor(clock: Clock, limits: StreamLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** Bytes that are thought to be held for clients that are behind. */
  get bytes(): number {
    let bytes = 0;
    for (const { waits, held } of this.#streams.keys()) if (!waits) bytes += held;
    return bytes;
  }

  /** Bytes of answers that are put together for records. */
  get kept(): number {
    let bytes = 0;
    for (const { kept } of this.#streams.keys()) bytes += kept;
    return bytes;
  }

  add(stream: WatchedStream): void {
    this.#streams.set(stream, undefined);
    if (!this.#stop) this.#lookLater();
  }

  delete(stream: WatchedStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #lookLater(): void {
    this.#stop = this.#clock.after(EVERY_MS, () => {
      this.#stop = undefined;
      this.#cutSlowest();
      this.#letGoLongest();
      if (this.#streams.size > 0) this.#lookLater();
    });
  }

  #cutSlowest(): void {
    const behind: { readonly stream: WatchedStream; readonly took: number }[] = [];
    let bytes = 0;
    for (const [stream, before] of this.#streams) {
      const { waits, sent } = stream;
      this.#streams.set(stream, sent);
      if (waits) continue;
      bytes += stream.held;
      // Who came only now may still show how fast it is.
      if (before !== undefined) behind.push({ stream, took: sent - before });
    }
    behind.sort((one, other) => one.took - other.took);
    for (const { stream } of behind) {
      if (bytes <= this.limits.unread) return;
      bytes -= stream.held;
      stream.cut();
    }
  }

  #letGoLongest(): void {
    let bytes = this.kept;
    if (bytes <= this.limits.recording) return;
    for (const stream of [...this.#streams.keys()].sort((one, other) => other.kept - one.kept)) {
      if (bytes <= this.limits.recording) return;
      bytes -= stream.kept;
      stream.letGo();
    }
  }
}
