import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../logs/files.ts';
import { ExportError } from '../error.ts';
import { outputsOf } from '../manifest.ts';
import { ByteSink, writeFailure } from './bytes.ts';
import { draftPath, exists, once, writeWhole } from './drafts.ts';
import type { Packing } from './packing.ts';
import { packingFor } from './packing.ts';
import type { ExtraFile, OutputFile, Sink, SinkOptions } from './sink.ts';

/** Files that an export writes beside the rows. */
const PAPERS = ['README.md', 'manifest.json', 'dataset_info.json'];

/** A directory with a file, or several, for each split. It appears whole. */
export class DirectorySink implements Sink {
  readonly #options: SinkOptions;
  readonly #path: string;
  readonly #draft: string;
  readonly #shards: Shard[] = [];
  readonly #open = new Map<string, Shard>();
  readonly #remove: () => void;

  /** @throws ExportError when the directory holds what may not be replaced */
  constructor(options: SinkOptions) {
    this.#options = options;
    const path = options.path.replace(/(?<=.)\/+$/, '');
    this.#path = fs.existsSync(path) ? fs.realpathSync(path) : path;
    refuseForeign(this.#path, options);
    fs.mkdirSync(dirname(this.#path), { recursive: true });
    this.#draft = draftPath(this.#path);
    fs.rmSync(this.#draft, { recursive: true, force: true });
    fs.mkdirSync(this.#draft);
    this.#remove = once(() => fs.rmSync(this.#draft, { recursive: true, force: true }));
  }

  async write(split: string, lines: Uint8Array, rows: number): Promise<void> {
    try {
      for (const part of this.#parts(split, lines, rows))
        await this.#shard(split).write(part.lines, part.rows);
    } catch (error) {
      throw writeFailure(this.#options.path, error);
    }
  }

  async finish(
    extras: (files: readonly OutputFile[]) => readonly ExtraFile[],
  ): Promise<readonly OutputFile[]> {
    try {
      const files: OutputFile[] = [];
      for (const shard of this.#shards) files.push(await shard.end(this.#finalName(shard)));
      const papers = extras(files);
      for (const paper of papers) if ('name' in paper) writeSynced(join(this.#draft, paper.name), paper.text);
      await this.#appear();
      for (const paper of papers) if ('path' in paper) await writeWhole(paper.path, paper.text);
      return files;
    } catch (error) {
      throw writeFailure(this.#options.path, error);
    }
  }

  discard(): void {
    for (const shard of this.#shards) shard.close();
    this.#remove();
  }

  /** Lines cut so that no shard grows much beyond its size. */
  *#parts(split: string, lines: Uint8Array, rows: number): Generator<{ lines: Uint8Array; rows: number }> {
    const { shardBytes } = this.#options;
    if (shardBytes === undefined || rows === 0) return void (yield { lines, rows });
    let from = 0;
    let count = 0;
    for (let end = lines.indexOf(10); end >= 0; end = lines.indexOf(10, end + 1)) {
      count += 1;
      const full = (this.#open.get(split)?.written ?? 0) + end + 1 - from >= shardBytes;
      if (!full) continue;
      yield { lines: lines.subarray(from, end + 1), rows: count };
      this.#open.delete(split);
      [from, count] = [end + 1, 0];
    }
    if (from < lines.length) yield { lines: lines.subarray(from), rows: count };
  }

  #shard(split: string): Shard {
    const open = this.#open.get(split);
    if (open) return open;
    const number = this.#shards.filter((shard) => shard.split === split).length;
    const path = join(this.#draft, `${split}-${number}`);
    const shard = new Shard(path, { split, number }, this.#options);
    this.#open.set(split, shard);
    this.#shards.push(shard);
    return shard;
  }

  /** As `datasets` knows them: one file a split by its name, several with number and count. */
  #finalName({ split, number }: Shard): string {
    const { parquet, compress, shardBytes } = this.#options;
    const ending = parquet ? 'parquet' : compress ? `jsonl.${compress}` : 'jsonl';
    if (shardBytes === undefined) return `${split}.${ending}`;
    const count = this.#shards.filter((shard) => shard.split === split).length;
    return `data/${split}-${digits(number)}-of-${digits(count)}.${ending}`;
  }

  /** Renames the draft into place; what was there before goes when that is done. */
  async #appear(): Promise<void> {
    const aside = `${this.#draft}.old`;
    const replaced = fs.existsSync(this.#path);
    if (replaced) fs.renameSync(this.#path, aside);
    try {
      fs.renameSync(this.#draft, this.#path);
    } catch (error) {
      if (replaced) fs.renameSync(aside, this.#path);
      throw error;
    }
    fs.rmSync(aside, { recursive: true, force: true });
    await syncDirectory(dirname(this.#path));
  }
}

function digits(number: number): string {
  return String(number).padStart(5, '0');
}

/** One file of rows in the draft. */
class Shard {
  readonly split: string;
  readonly number: number;
  readonly #path: string;
  readonly #fd: number;
  readonly #bytes: ByteSink;
  readonly #packing: Packing;
  readonly close: () => void;
  #rows = 0;
  /** Bytes of rows before they were packed. */
  written = 0;

  constructor(path: string, { split, number }: { split: string; number: number }, options: SinkOptions) {
    this.split = split;
    this.number = number;
    this.#path = path;
    this.#fd = fs.openSync(path, 'w');
    this.close = once(() => fs.closeSync(this.#fd));
    this.#bytes = new ByteSink(this.#fd, options.path, options.hash);
    this.#packing = packingFor(this.#bytes, options);
  }

  async write(lines: Uint8Array, rows: number): Promise<void> {
    this.#rows += rows;
    this.written += lines.length;
    await this.#packing.write(lines);
  }

  /** @param name its last name, within the directory */
  async end(name: string): Promise<OutputFile> {
    await this.#packing.end();
    const sha256 = await this.#bytes.end();
    fs.fsyncSync(this.#fd);
    this.close();
    const directory = dirname(this.#path);
    const path = join(directory, name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.renameSync(this.#path, path);
    return {
      path: name,
      split: this.split,
      rows: this.#rows,
      bytes: this.#bytes.bytes,
      ...(sha256 ? { sha256 } : {}),
    };
  }
}

function writeSynced(path: string, text: string): void {
  const fd = fs.openSync(path, 'w');
  try {
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Nothing is replaced but what an earlier export wrote: `-o . --force` must not cost anybody's work. */
function refuseForeign(path: string, { path: name, force }: SinkOptions): void {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) throw new ExportError('failed', `Cannot write ${name}: it is a file`);
  const holds = filesIn(path, '');
  if (holds.length === 0) return;
  if (!force) throw exists(name);
  const own = new Set([...PAPERS, ...(outputsOf(path) ?? [])]);
  const foreign = holds.find((file) => !own.has(file));
  if (foreign !== undefined)
    throw new ExportError('failed', `Cannot replace ${name}: ${foreign} in it was not written by an export`);
}

function filesIn(directory: string, below: string): string[] {
  return fs.readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    return entry.isDirectory() ? filesIn(directory, path) : [path];
  });
}
