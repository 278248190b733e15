import { ByteSink, writeFailure } from './bytes.ts';
import type { Draft } from './drafts.ts';
import { writeWhole } from './drafts.ts';
import type { Packing } from './packing.ts';
import { packingFor } from './packing.ts';
import type { ExtraFile, OutputFile, Sink, SinkOptions } from './sink.ts';
import { OutputClosed } from './sink.ts';

/** One file, or standard output. */
export class FileSink implements Sink {
  readonly #draft: Draft;
  readonly #options: SinkOptions;
  readonly #bytes: ByteSink;
  readonly #packing: Packing;
  #rows = 0;

  constructor(draft: Draft, options: SinkOptions) {
    this.#draft = draft;
    this.#options = options;
    const name = options.shape === 'stdout' ? 'standard output' : options.path;
    this.#bytes = new ByteSink(draft.fd, name, options.hash);
    this.#packing = packingFor(this.#bytes, options);
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
        bytes: this.#bytes.bytes,
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

  discard(): void {
    this.#draft.discard();
  }
}
