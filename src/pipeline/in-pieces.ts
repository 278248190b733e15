import type { Turns } from '../turns.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What reads a body. */
export interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Bytes | undefined }>;
  cancel(reason: unknown): Promise<void>;
}

/** Bytes at once: some two hundred events of a stream, which take a few milliseconds. */
const PIECE = 32 * 1024;

/**
 * A body in small pieces, and with pauses: a provider on a fast line sends megabytes at once, and as long as there is
 * more, reading it would let nothing else happen.
 */
export class InPieces implements BodyReader {
  readonly #reader: BodyReader;
  readonly #turns: Turns;
  #rest: Bytes | undefined;

  constructor(reader: BodyReader, turns: Turns) {
    this.#reader = reader;
    this.#turns = turns;
  }

  async read(): ReturnType<BodyReader['read']> {
    const rest = this.#rest;
    const pause = this.#turns.pause();
    if (pause) await pause;
    if (rest) return this.#first(rest);
    const { done, value } = await this.#reader.read();
    return done || !value ? { done } : this.#first(value);
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }

  #first(bytes: Bytes): { done: false; value: Bytes } {
    this.#rest = bytes.length > PIECE ? bytes.subarray(PIECE) : undefined;
    return { done: false, value: this.#rest ? bytes.subarray(0, PIECE) : bytes };
  }
}
