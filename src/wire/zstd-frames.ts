const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const BLOCK_HEADER = 3;
const RLE = 1;

/** The next field; little-endian. Its value determines what follows. */
type Field = 'magic' | 'skippable' | 'descriptor' | 'block';

const SIZES: Readonly<Record<Field, number>> = { magic: 4, skippable: 4, descriptor: 1, block: BLOCK_HEADER };

/**
 * Follows the lengths in zstd frames to determine whether the last frame is complete, which the decoder does not
 * report.
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1
 */
export class ZstdFrames {
  #field: Field = 'magic';
  #value = 0;
  #read = 0;
  /** The number of bytes to skip until the next field. */
  #skip = 0;
  #checksum = 0;
  #begun = false;
  /** Whether the data continues with something other than frames, which the decoder ignores. */
  #garbage = false;

  get complete(): boolean {
    return this.#garbage || (this.#begun && this.#field === 'magic' && this.#read + this.#skip === 0);
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#garbage;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0 || at === bytes.length) return;
      this.#value += bytes[at]! * 256 ** this.#read;
      this.#read += 1;
      at += 1;
      if (this.#read === SIZES[this.#field]) this.#next(this.#value);
    }
  }

  #next(value: number): void {
    const field = this.#field;
    this.#value = 0;
    this.#read = 0;
    if (field === 'magic') this.#frame(value);
    else if (field === 'skippable') this.#then('magic', value);
    else if (field === 'descriptor') this.#header(value);
    else this.#block(value);
  }

  #frame(magic: number): void {
    this.#begun = true;
    const skippable = magic - (magic % 16) === SKIPPABLE;
    if (magic === MAGIC) this.#then('descriptor', 0);
    else if (skippable) this.#then('skippable', 0);
    else this.#garbage = true;
  }

  #header(descriptor: number): void {
    const single = (descriptor >> 5) & 1;
    const content = [single, 2, 4, 8][descriptor >> 6]!;
    const dictionary = [0, 1, 2, 4][descriptor & 3]!;
    this.#checksum = (descriptor >> 2) & 1 ? 4 : 0;
    this.#then('block', 1 - single + dictionary + content);
  }

  #block(header: number): void {
    const length = ((header >> 1) & 3) === RLE ? 1 : header >> 3;
    if (header & 1) this.#then('magic', length + this.#checksum);
    else this.#then('block', length);
  }

  #then(field: Field, skip: number): void {
    this.#field = field;
    this.#skip = skip;
  }
}
