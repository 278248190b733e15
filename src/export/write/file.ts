import { ByteSink, writeFailure } from './byte-sink.ts';
import type { StagingFile } from './staging-file.ts';
import { packingFor } from './packing.ts';
import type { ExtraFile, OutputFile, Packing, Provisional, Sink, SinkOptions } from './sink.ts';
import type { StagedTexts } from './sidecar-files.ts';
import { stageTexts } from './sidecar-files.ts';

/** One file, or standard output. */
export class FileSink implements Sink {
  readonly #file: StagingFile;
  readonly #options: SinkOptions;
  readonly #name: string;
  readonly provisional: Provisional | undefined;
  #bytes: ByteSink;
  #packing: Packing;
  #texts: StagedTexts | undefined;
  #rows = 0;
  /** The number of bytes written by others. */
  #kept = 0;

  constructor(file: StagingFile, options: SinkOptions) {
    this.#file = file;
    this.#options = options;
    this.#name = options.shape === 'stdout' ? 'standard output' : options.path;
    this.#bytes = new ByteSink(file.fd, this.#name, options.hash);
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
      this.#texts = stageTexts(texts, { force, rows: shape === 'stdout' ? [] : [path] });
      await this.#file.keep();
      await this.#texts.keep();
      return [file];
    } catch (error) {
      throw writeFailure(this.#name, error);
    }
  }

  discard(): void {
    this.#texts?.discard();
    this.#file.discard();
  }

  #provisional(): Provisional | undefined {
    const { compress, parquet, hash } = this.#options;
    const file = this.#file;
    // Windows keeps the name of an open file in use.
    if (compress || parquet || hash || !file.renew || process.platform === 'win32') return undefined;
    return {
      fd: file.fd,
      keep: (rows, bytes) => {
        this.#rows = rows;
        this.#kept = bytes;
      },
      renew: () => {
        file.renew!();
        this.#bytes = new ByteSink(file.fd, this.#name, false);
        this.#packing = packingFor(this.#bytes, this.#options);
      },
    };
  }
}
