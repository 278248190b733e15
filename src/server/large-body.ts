import type { StreamBudget, WatchedStream } from '../pipeline/stream-budget.ts';

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** Longer answers do not fit into the kernel's buffer of a connection as a whole, bytes. */
export const LARGE = 1024 * 1024;

/** What the client is given at once, bytes. */
const PIECE = 64 * 1024;

/**
 * A whole answer that is given to its client in pieces. Given as a whole it would be held until the last byte was read,
 * and nobody would know how far the client is.
 */
export class LargeBody implements WatchedStream {
  readonly waits = false;
  readonly kept = 0;
  readonly held: number;
  readonly #budget: StreamBudget;
  readonly #cut: () => void;
  /** `undefined` once all of it is given, or nobody is to have the rest. */
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
    // What is cut never ends: an end would look like that of a whole answer.
    if (!this.#bytes) return new Promise(() => undefined);
    // A copy, since a part of the whole would keep the whole.
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

  /** Its record is made of the whole. */
  letGo(): void {}

  #end(): void {
    this.#bytes = undefined;
    this.#budget.delete(this);
  }
}
