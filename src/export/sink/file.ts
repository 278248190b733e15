import { ByteSink, writeFailure } from './bytes.ts';
import type { Draft } from './drafts.ts';
import { writeWhole } from './drafts.ts';
import type { Packing } from './packing.ts';
import { packingFor } from './packing.ts';
import type { ExtraFile, OutputFile, Provisional, Sink, SinkOptions } from './sink.ts';
import { OutputClosed } from './sink.ts';

/** One file, or standard output. */
export class FileSink implements Sink {
  readonly #draft: Draft;
  readonly #options: SinkOptions;
  readonly provisional: Provisional | undefined;
  #bytes: ByteSink;
  #packing: Packing;
  #rows = 0;
  /** Bytes that were put there by others. */
  #kept = 0;

  constructor(draft: Draft, options: SinkOptions) {
    this.#draft = draft;
    this.#options = options;
    this.#bytes = this.#sink();
    this.#packing = packingFor(this.#bytes, options);
    this.provisional = this.#provisional();
  }

  async write(_split: string, lines: Uint8Array, rows: number): Promise<void> {
    this.#rows += rows;
    await this.#packing.write(lines);
  }

  async finish(
    extras: (files: readonly OutputFile[]) => readonly ExtraFile[],
  ): Promise<readonly OutputFile[]> {
    const { path, splits } = this.#options;
    try {
      await this.#packing.end();
      const sha256 = await this.#bytes.end();
      const file = {
        path,
        split: splits[0]!,
        rows: this.#rows,
        bytes: this.#kept + this.#bytes.bytes,
        ...(sha256 ? { sha256 } : {}),
      };
      const texts = extras([file]);
      await this.#draft.keep();
      for (const extra of texts) if ('path' in extra) await writeWhole(extra.path, extra.text);
      return [file];
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      throw writeFailure(path, error);
    }
  }

  #sink(): ByteSink {
    const { shape, path, hash } = this.#options;
    return new ByteSink(this.#draft.fd, shape === 'stdout' ? 'standard output' : path, hash);
  }

  #provisional(): Provisional | undefined {
    const { compress, parquet, hash, shape } = this.#options;
    const draft = this.#draft;
    // Windows does not let go of the name of an open file.
    if (compress || parquet || hash || shape === 'stdout' || !draft.renew || process.platform === 'win32')
      return undefined;
    return {
      fd: draft.fd,
      keep: (rows, bytes) => {
        this.#rows = rows;
        this.#kept = bytes;
      },
      renew: () => {
        draft.renew!();
        this.#bytes = this.#sink();
        this.#packing = packingFor(this.#bytes, this.#options);
      },
    };
  }

  discard(): void {
    this.#draft.discard();
  }
}
