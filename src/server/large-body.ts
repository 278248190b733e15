import type { StreamBudget, WatchedStream } from '../pipeline/streams/stream-budget.ts';

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** Larger answers do not fit completely into the kernel's buffer of a connection, bytes. */
export const LARGE = 1024 * 1024;

/** The size of a piece, bytes. */
const PIECE = 64 * 1024;

/**
 * Sends a whole answer to its client in pieces. In a single piece it would be held in memory until the last byte was
 * read, and its progress would be unknown.
 */
export class LargeBody implements WatchedStream {
  readonly waits = false;
  readonly kept = 0;
  readonly held: number;
  readonly #budget: StreamBudget;
  readonly #cut: () => void;
  /** `undefined` when all of it was sent, or the rest is discarded. */
  #bytes: Uint8Array | undefined;
  #sent = 0;

  /** @param cut called when it holds too much while its client reads too little: the connection may be closed */
  constructor(bytes: Uint8Array, budget: StreamBudget, cut: () => void) {
    this.#bytes = bytes;
    this.held = bytes.length;
    this.#budget = budget;
    this.#cut = cut;
  }

  get sent(): number {
    return this.#sent;
  }

  start(): void {
    this.#budget.add(this);
  }

  pull(controller: Controller): Promise<void> | undefined {
    // An interrupted answer never ends: an end would make it look complete.
    if (!this.#bytes) return new Promise(() => undefined);
    // A copy, since a view would keep the whole in memory.
    const piece = this.#bytes.slice(this.#sent, this.#sent + PIECE);
    this.#sent += piece.length;
    controller.enqueue(piece);
    if (this.#sent < this.#bytes.length) return undefined;
    this.#end();
    controller.close();
    return undefined;
  }

  cancel(): void {
    this.#end();
  }

  cut(): void {
    this.#end();
    this.#cut();
  }

  /** Its record is made from the whole. */
  stopRecording(): void {}

  #end(): void {
    this.#bytes = undefined;
    this.#budget.delete(this);
  }
}
