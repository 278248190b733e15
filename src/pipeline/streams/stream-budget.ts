import type { Clock } from '../../clock.ts';

/** A stream on its way to a client. */
export interface WatchedStream {
  /** Whether the client has taken everything; otherwise it is behind, and what arrives is held for it. */
  readonly waits: boolean;
  /** The number of bytes that it has taken so far. */
  readonly sent: number;
  /** The number of bytes held for it while it is behind. */
  readonly held: number;
  /** Aborts it: it holds too much while it takes too little. */
  cut(): void;
  /** The number of bytes assembled for its record. */
  readonly kept: number;
  /** Leaves the answer out of its record, since all records together hold too much. */
  stopRecording(): void;
}

/** The limits for all streams together, bytes. */
export interface StreamLimits {
  /** What is held for clients that are behind. */
  readonly unread: number;
  /** What is assembled for records. */
  readonly recording: number;
}

/** The interval at which slow clients are looked for, milliseconds. */
const EVERY_MS = 500;

/**
 * The memory of one stream whose client is behind, bytes. Most of it is out of sight: the engine reads a megabyte ahead
 * into a buffer of two, and the megabyte before it is split into pieces here. With 200 such streams Bun 1.4.5 holds 3.6
 * MB for each.
 */
export const HELD_BY_STREAM = 4 * 1024 * 1024;

/**
 * The memory of all streams. If those whose clients are behind hold more than is allowed, the ones that took least
 * since the last check are aborted until the others fit. If more is assembled for records than is allowed, the longest
 * answers are left out of theirs. Each check covers all of them, so that in between a stream costs nothing but its
 * place in a list.
 */
export class StreamBudget {
  readonly #clock: Clock;
  /** What each stream had sent at the last check; `undefined` while it is new. */
  readonly #streams = new Map<WatchedStream, number | undefined>();
  #stop: (() => void) | undefined;
  limits: StreamLimits;

  constructor(clock: Clock, limits: StreamLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** The estimated number of bytes held for clients that are behind. */
  get bytes(): number {
    let bytes = 0;
    for (const { waits, held } of this.#streams.keys()) if (!waits) bytes += held;
    return bytes;
  }

  /** The number of bytes assembled for records. */
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
      this.#stopRecordingLongest();
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
      // A new client has yet to show how fast it is.
      if (before !== undefined) behind.push({ stream, took: sent - before });
    }
    behind.sort((one, other) => one.took - other.took);
    for (const { stream } of behind) {
      if (bytes <= this.limits.unread) return;
      bytes -= stream.held;
      stream.cut();
    }
  }

  #stopRecordingLongest(): void {
    let bytes = this.kept;
    if (bytes <= this.limits.recording) return;
    for (const stream of [...this.#streams.keys()].sort((one, other) => other.kept - one.kept)) {
      if (bytes <= this.limits.recording) return;
      bytes -= stream.kept;
      stream.stopRecording();
    }
  }
}
