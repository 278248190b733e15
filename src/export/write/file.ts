import { ByteSink, writeFailure } from './byte-sink.ts';
import type { Draft } from './staging-file.ts';
import type { Packing } from './packing.ts';
import { packingFor } from './packing.ts';
import type { ExtraFile, OutputFile, Provisional, Sink, SinkOptions } from './sink.ts';
import type { TextDrafts } from './sidecar-files.ts';
import { draftTexts } from './sidecar-files.ts';

/** One file, or standard output. */
export class FileSink implements Sink {
  readonly #draft: Draft;
  readonly #options: SinkOptions;
  readonly #name: string;
  readonly provisional: Provisional | undefined;
  #bytes: ByteSink;
  #packing: Packing;
  #texts: TextDrafts | undefined;
  #rows = 0;
  /** Bytes that were put there by others. */
  #kept = 0;

  constructor(draft: Draft, options: SinkOptions) {
    this.#draft = draft;
    this.#options = options;
    this.#name = options.shape === 'stdout' ? 'standard output' : options.path;
    this.#bytes = new ByteSink(draft.fd, this.#name, options.hash);
    this.#packing = packingFor(this.#bytes, options);
    this.provisional = this.#provisional();
  }

  async write(_split: string, lines: Uint8Array, rows: number): Promise<void> {
    this.#rows += rows;
    try {
      await this.#packing.write(lines);
    } catch (error) {
      throw writeFailure(this.#name, error);
    }
  }

  async finish(
    extras: (files: readonly OutputFile[]) => readonly ExtraFile[],
  ): Promise<readonly OutputFile[]> {
    const { path, splits, force, shape } = this.#options;
    try {
      await this.#packing.end();
      const sha256 = await this.#bytes.end();
      const bytes = this.#kept + this.#bytes.bytes;
      const file = { path, split: splits[0]!, rows: this.#rows, bytes, ...(sha256 ? { sha256 } : {}) };
      const texts = extras([file]).filter((extra) => 'path' in extra);
      this.#texts = draftTexts(texts, { force, rows: shape === 'stdout' ? [] : [path] });
      await this.#draft.keep();
      await this.#texts.keep();
      return [file];
    } catch (error) {
      throw writeFailure(this.#name, error);
    }
  }

  discard(): void {
    this.#texts?.discard();
    this.#draft.discard();
  }

  #provisional(): Provisional | undefined {
    const { compress, parquet, hash } = this.#options;
    const draft = this.#draft;
    // Windows does not let go of the name of an open file.
    if (compress || parquet || hash || !draft.renew || process.platform === 'win32') return undefined;
    return {
      fd: draft.fd,
      keep: (rows, bytes) => {
        this.#rows = rows;
        this.#kept = bytes;
      },
      renew: () => {
        draft.renew!();
        this.#bytes = new ByteSink(draft.fd, this.#name, false);
        this.#packing = packingFor(this.#bytes, this.#options);
      },
    };
  }
}
