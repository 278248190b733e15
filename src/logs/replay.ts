/** Reads a pipe a second time, from what was kept of it. */
import type { Source } from './source.ts';

/** A source as a decompressor reads it. */
export type Bytes = Pick<Source, 'peek' | 'read' | 'close'>;

/** How much compressed data of a pipe is kept, bytes: about ten times as much log. */
const MAX_KEPT_BYTES = 64 * 1024 ** 2;

/** Keeps what is read from a source, so that it can be read again from its beginning. */
export class Recording {
  readonly #source: Bytes;
  readonly #limit: number;
  #pieces: Buffer[] | undefined = [];
  #bytes = 0;

  /**
   * @param start what was read from the source before
   * @param limit if more is read, nothing is kept
   */
  constructor(source: Bytes, start: Buffer, limit = MAX_KEPT_BYTES) {
    this.#source = source;
    this.#limit = limit;
    this.#keep(start);
  }

  async read(buffer: Buffer): Promise<number> {
    const bytes = await this.#source.read(buffer);
    this.#keep(buffer.subarray(0, bytes));
    return bytes;
  }

  /**
   * What was recorded, followed by the rest of the source, which can be read only once.
   * @returns `undefined` if the recording is incomplete
   */
  replay(): Bytes | undefined {
    if (!this.#pieces) return undefined;
    const recorded = Buffer.concat(this.#pieces);
    let at = 0;
    const read = async (buffer: Buffer) => {
      if (at === recorded.length) return this.#source.read(buffer);
      const bytes = recorded.copy(buffer, 0, at);
      at += bytes;
      return bytes;
    };
    const peek = async () => {
      const start = recorded.subarray(0, START_BYTES);
      at = start.length;
      return start;
    };
    return { peek, read, close: () => {} };
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#limit) this.#pieces = undefined;
    // The buffer is larger than what a pipe delivers at once.
    else if (piece.length > 0) this.#pieces?.push(Buffer.from(piece));
  }
}

/** The size of what {@link Source.peek} returns. */
const START_BYTES = 4;
