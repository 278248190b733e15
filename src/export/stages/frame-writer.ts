import type { Frame, Shape } from './arrow/shape.ts';
import { END_OF_STREAM, FrameEncoder } from './arrow/encode.ts';

/** Takes bytes; their memory may be used again when the promise is kept. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Writes frames as one stream. */
export class FrameWriter<S extends Shape> {
  readonly #encoder: FrameEncoder<S>;
  readonly #write: WriteBytes;
  #begun = false;

  constructor(shape: S, write: WriteBytes) {
    this.#encoder = new FrameEncoder(shape);
    this.#write = write;
  }

  async write(frame: Frame<S>): Promise<void> {
    if (frame.rows === 0) return;
    await this.#begin();
    await this.#write(this.#encoder.encode(frame));
  }

  /** A stream that ends here is whole, one that does not is not. */
  async end(): Promise<void> {
    await this.#begin();
    await this.#write(END_OF_STREAM);
  }

  async #begin(): Promise<void> {
    if (!this.#begun) await this.#write(this.#encoder.schema);
    this.#begun = true;
  }
}
