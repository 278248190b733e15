/** The shards of one range: a file for each split that has rows in it. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { OutputFile, SinkOptions } from '../write/sink.ts';
import { syncDirectory } from '../../logs/files.ts';
import { writeFailure } from '../write/byte-sink.ts';
import { Shard } from '../write/shard.ts';

/**
 * Files are written to a hidden directory beside the dataset's files and renamed at the end, so that each exists
 * completely or not at all.
 */
export class RangeShards {
  readonly #options: SinkOptions;
  readonly #directory: string;
  readonly #staging: string;
  readonly #range: number;
  readonly #ranges: number;
  readonly #shards = new Map<string, Shard>();

  /** @param directory of the dataset @throws ExportError */
  constructor(
    options: SinkOptions,
    directory: string,
    { range, ranges }: { readonly range: number; readonly ranges: number },
  ) {
    this.#options = { ...options, path: directory };
    this.#directory = directory;
    // A second attempt at the same range may be running on another machine.
    this.#staging = join(directory, `.llmproxy.${range}.${process.pid}.${crypto.randomUUID()}.tmp`);
    this.#range = range;
    this.#ranges = ranges;
    try {
      fs.mkdirSync(this.#staging, { recursive: true });
    } catch (cause) {
      throw writeFailure(directory, cause);
    }
  }

  /** @throws ExportError */
  async write(split: string, lines: Uint8Array, rows: number): Promise<void> {
    try {
      await this.#shards
        .getOrInsertComputed(
          split,
          () => new Shard(this.#staging, { split, number: this.#range }, this.#options),
        )
        .write(lines, rows);
    } catch (cause) {
      throw writeFailure(this.#directory, cause);
    }
  }

  /** Makes the files visible. @throws ExportError */
  async finish(): Promise<OutputFile[]> {
    try {
      const files: OutputFile[] = [];
      for (const split of this.#options.splits) {
        const shard = this.#shards.get(split);
        if (!shard) continue;
        await shard.end();
        const file = shard.name(this.#nameOf(split));
        const path = join(this.#directory, file.path);
        fs.mkdirSync(dirname(path), { recursive: true });
        fs.renameSync(join(this.#staging, file.path), path);
        await syncDirectory(dirname(path));
        files.push(file);
      }
      fs.rmSync(this.#staging, { recursive: true, force: true });
      return files;
    } catch (cause) {
      throw writeFailure(this.#directory, cause);
    }
  }

  discard(): void {
    for (const shard of this.#shards.values()) shard.discard();
    fs.rmSync(this.#staging, { recursive: true, force: true });
  }

  #nameOf(split: string): string {
    const { parquet, compress } = this.#options;
    const ending = parquet ? 'parquet' : compress ? `jsonl.${compress}` : 'jsonl';
    return `data/${split}-${digits(this.#range)}-of-${digits(this.#ranges)}.${ending}`;
  }
}

function digits(number: number): string {
  return String(number).padStart(5, '0');
}
