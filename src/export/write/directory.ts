import * as fs from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { writeFailure } from './byte-sink.ts';
import { writeSynced } from './staging-file.ts';
import { Shard } from './shard.ts';
import type { ExtraFile, OutputFile, Sink, SinkOptions } from './sink.ts';
import type { StagingDirectory } from './staging-directory.ts';
import { openStagingDirectory } from './staging-directory.ts';
import type { PlacedText, StagedTexts } from './sidecar-files.ts';
import { stageTexts } from './sidecar-files.ts';

const NEWLINE = 10;

/** A directory with one or several files for each split that has rows. */
export class DirectorySink implements Sink {
  readonly #options: SinkOptions;
  readonly #target: StagingDirectory;
  readonly #shards: Shard[] = [];
  readonly #open = new Map<string, Shard>();
  /** The number of files by split. */
  readonly #counts = new Map<string, number>();
  #texts: StagedTexts | undefined;

  /** @throws ExportError when the directory contains files that must not be replaced; an error of the file system */
  constructor(options: SinkOptions) {
    this.#options = options;
    this.#target = openStagingDirectory(options.path, options.force);
  }

  async write(split: string, lines: Uint8Array, rows: number): Promise<void> {
    if (rows === 0) return;
    try {
      if (this.#options.shardBytes === undefined) await this.#shard(split).write(lines, rows);
      else await this.#cut(split, lines, this.#options.shardBytes);
    } catch (error) {
      throw writeFailure(this.#options.path, error);
    }
  }

  async finish(
    extras: (files: readonly OutputFile[]) => readonly ExtraFile[],
  ): Promise<readonly OutputFile[]> {
    const { path, force } = this.#options;
    try {
      for (const shard of this.#open.values()) await shard.end();
      const files = this.#shards.map((shard) => shard.name(this.#finalName(shard)));
      const { inside, outside } = this.#sorted(extras(files));
      for (const [name, text] of inside) writeSynced(join(this.#target.staging, name), text);
      this.#texts = stageTexts(outside, { force, rows: [] });
      const names = [...files.map((file) => file.path), ...inside.keys()];
      await this.#target.appear(names.toSorted((a, b) => Number(a === MANIFEST) - Number(b === MANIFEST)));
      await this.#texts.keep();
      return files;
    } catch (error) {
      throw writeFailure(path, error);
    }
  }

  discard(): void {
    this.#texts?.discard();
    for (const shard of this.#shards) shard.discard();
    this.#target.discard();
  }

  /** Splits lines so that each file exceeds its size limit by less than a row. */
  async #cut(split: string, lines: Uint8Array, shardBytes: number): Promise<void> {
    const text = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    for (let from = 0; from < text.length;) {
      const shard = this.#shard(split);
      const { end, rows } = fill(text, from, shardBytes - shard.written);
      await shard.write(text.subarray(from, end), rows);
      from = end;
      if (shard.written < shardBytes) continue;
      await shard.end();
      this.#open.delete(split);
    }
  }

  #shard(split: string): Shard {
    const open = this.#open.get(split);
    if (open) return open;
    const number = this.#counts.get(split) ?? 0;
    const shard = new Shard(this.#target.staging, { split, number }, this.#options);
    this.#counts.set(split, number + 1);
    this.#open.set(split, shard);
    this.#shards.push(shard);
    return shard;
  }

  /** The file name by which `datasets` recognises a split, with number and count if there are several files. */
  #finalName({ split, number }: Shard): string {
    const { parquet, compress, shardBytes } = this.#options;
    const ending = parquet ? 'parquet' : compress ? `jsonl.${compress}` : 'jsonl';
    if (shardBytes === undefined) return `${split}.${ending}`;
    return `data/${split}-${digits(number)}-of-${digits(this.#counts.get(split)!)}.${ending}`;
  }

  /** A text file whose path is within the directory appears together with it, like one requested by name. */
  #sorted(extras: readonly ExtraFile[]): { inside: Map<string, string>; outside: PlacedText[] } {
    const inside = new Map<string, string>();
    const outside: PlacedText[] = [];
    for (const extra of extras) {
      const name = 'name' in extra ? extra.name : relative(this.#target.path, realPath(extra.path));
      if ('path' in extra && (name === '..' || name.startsWith('../'))) outside.push(extra);
      else inside.set(name, extra.text);
    }
    return { inside, outside };
  }
}

/** The path without symbolic links, as far as it exists. */
function realPath(path: string): string {
  const folder = dirname(resolve(path));
  return fs.existsSync(folder) ? join(fs.realpathSync(folder), basename(path)) : resolve(path);
}

/** It identifies our other files, so it is deleted last. */
const MANIFEST = 'manifest.json';

/** Whole rows of the text from a position on, including the one that reaches the size. */
function fill(text: Buffer, from: number, bytes: number): { end: number; rows: number } {
  let end = from;
  let rows = 0;
  while (end < text.length && end - from < bytes) {
    end = text.indexOf(NEWLINE, end) + 1;
    rows += 1;
  }
  return { end, rows };
}

function digits(number: number): string {
  return String(number).padStart(5, '0');
}
