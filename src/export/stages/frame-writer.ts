import type { Frame, Shape } from './arrow/shape.ts';
import { END_OF_STREAM, FrameEncoder } from './arrow/encode.ts';

/** Accepts bytes; their memory may be reused when the promise resolves. */
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

  /** Only a stream that is ended here is complete. */
  async end(): Promise<void> {
    await this.#begin();
    await this.#write(END_OF_STREAM);
  }

  async #begin(): Promise<void> {
    if (!this.#begun) await this.#write(this.#encoder.schema);
    this.#begun = true;
  }
}
