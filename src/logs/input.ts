/** Determines which files to read, and in which order. */
import { realpath, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileReason } from './names.ts';
import { InputError } from './problem.ts';
import type { S3Object } from './s3.ts';
import { listObjects, S3_SCHEME, s3Place } from './s3.ts';

export interface LogInput {
  /** The name used in messages: the path as the user would write it, or "stdin". */
  readonly name: string;
  /** Path to open; `-` is standard input. */
  readonly path: string;
  /** Size on disk; `undefined` for a pipe. */
  readonly bytes: number | undefined;
  /** The source of the input if it is not a local file. */
  readonly object?: S3Object;
  /** Other names by which the same file was found, such as those of links; it is read once. */
  readonly otherNames?: readonly string[];
}

/**
 * Resolves the user's arguments to files, oldest first within each directory or glob.
 * @param named files, directories, globs, and `-` for standard input; a file given twice, by whatever names, is read once
 * @param exclude a path that directories and globs skip: the output, if it lies among the logs
 * @throws InputError when an argument does not exist, or when no file is found at all
 */
export async function findInputs(named: readonly string[], exclude?: string): Promise<LogInput[]> {
  const found = new Map<string, { readonly input: LogInput; readonly others: Set<string> }>();
  const left = exclude === undefined ? undefined : await realPath(exclude);
  for (const name of named) {
    for (const { input, listed } of await resolve(name)) {
      if (listed && (await realPath(input.path)) === left) continue;
      const { input: known, others } = found.getOrInsert(await identity(input.path), {
        input,
        others: new Set(),
      });
      if (known.name !== input.name) others.add(input.name);
    }
  }
  if (found.size === 0) throw new InputError(`Cannot find a log to read: ${named.join(', ')} contains none`);
  return [...found.values()].map(({ input, others }) =>
    others.size === 0 ? input : { ...input, otherNames: [...others] },
  );
}

interface Resolved {
  readonly input: LogInput;
  /** Whether it was found in a directory or by a glob rather than named directly. */
  readonly listed: boolean;
}

async function resolve(name: string): Promise<Resolved[]> {
  if (name === '-') return [{ input: { name: 'stdin', path: '-', bytes: undefined }, listed: false }];
  if (name.startsWith(S3_SCHEME)) return resolveObjects(name);
  const info = await statIfThere(name);
  if (info?.isDirectory()) {
    const entries = await readdir(name).catch((error: Error) => {
      throw new InputError(`Cannot read ${name}: ${fileReason(error)}`, { cause: error });
    });
    return listed(
      entries
        .filter((entry) => !entry.startsWith('.') && rankOf(entry) !== undefined)
        .map((entry) => join(name, entry)),
    );
  }
  if (info)
    return [{ input: { name, path: name, bytes: info.isFile() ? info.size : undefined }, listed: false }];
  if (/[*?[{]/.test(name)) {
    const paths = await Array.fromAsync(new Bun.Glob(name).scan({ followSymlinks: true }));
    if (paths.length === 0) throw new InputError(`Cannot read ${name}: no file matches it`);
    return listed(paths);
  }
  throw new InputError(`Cannot read ${name}: there is no such file or directory${hintFor(name)}`);
}

/** Most often, nothing has been logged yet, or the command runs in another directory than the proxy. */
function hintFor(name: string): string {
  if (rankOf(name) !== undefined) return '';
  return '; a request log begins with the first request, below the directory in which llmproxy serve was started';
}

/** A single object, all objects under a prefix, or the objects that match a glob. */
async function resolveObjects(name: string): Promise<Resolved[]> {
  const { bucket, key } = s3Place(name);
  const literal = /^[^*?[{]*/.exec(key)![0];
  const found = await listObjects(bucket, literal);
  const itself = found.filter((object) => object.key === key);
  const glob = literal === key ? undefined : new Bun.Glob(key);
  const below = found.filter((object) => glob?.match(object.key) ?? rankOf(object.key) !== undefined);
  const wanted = itself.length > 0 ? itself : below;
  if (wanted.length === 0)
    throw new InputError(`Cannot read ${name}: no object with the name of a log matches it`);
  return wanted
    .toSorted((a, b) => byRotation(a.key, b.key))
    .map((object) => {
      const path = `${S3_SCHEME}${bucket}/${object.key}`;
      return { input: { name: path, path, bytes: object.bytes, object }, listed: itself.length === 0 };
    });
}

async function listed(paths: string[]): Promise<Resolved[]> {
  const all = new Set(paths);
  const inputs: Resolved[] = [];
  for (const path of paths.sort(byRotation)) {
    // A file that is being compressed exists twice; the original is certainly complete.
    const plain = path.replace(COMPRESSED, '');
    if (plain !== path && all.has(plain)) continue;
    // A link that leads nowhere is no log, nor is one that leads to itself.
    const info = await statIfThere(path, ['ELOOP']);
    if (info?.isFile()) inputs.push({ input: { name: path, path, bytes: info.size }, listed: true });
  }
  return inputs;
}

const COMPRESSED = /\.(gz|zst)$/;
const collator = new Intl.Collator('en', { numeric: true });

/**
 * The position of a log file among its rotated siblings; `undefined` when the name is not that of a log.
 * `app.log.2` is older than `app.log.1` and `app.log`; `llmproxy-2026-11-23.1.ndjson` is newer than
 * `llmproxy-2026-11-23.ndjson`.
 */
function rankOf(path: string): { stem: string; rank: number } | undefined {
  const match = /^(.*?)(?:\.(\d{1,9}))?\.(ndjson|jsonl|log)(?:\.(\d{1,9}))?$/s.exec(
    path.replace(COMPRESSED, ''),
  );
  if (!match) return undefined;
  const [, stem, newer, kind, older] = match;
  return { stem: `${stem}.${kind}`, rank: older === undefined ? Number(newer ?? 0) : -Number(older) };
}

/** Compares by age, oldest first, as far as names tell it. */
function byRotation(a: string, b: string): number {
  const [first, second] = [rankOf(a), rankOf(b)];
  const stems = collator.compare(first?.stem ?? a, second?.stem ?? b);
  return stems || (first?.rank ?? 0) - (second?.rank ?? 0) || (a < b ? -1 : Number(a > b));
}

/** The key by which two names refer to the same file, also those of a hard link. Some file systems number no files. */
async function identity(path: string): Promise<string> {
  if (path === '-' || path.startsWith(S3_SCHEME)) return path;
  const { dev, ino } = await stat(path, { bigint: true }).catch(() => ({ dev: 0n, ino: 0n }));
  return ino === 0n ? realPath(path) : `${dev}:${ino}`;
}

async function realPath(path: string): Promise<string> {
  return path.startsWith(S3_SCHEME) ? path : realpath(path).catch(() => path);
}

async function statIfThere(path: string, more: readonly string[] = []) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', ...more].includes(error.code ?? '')) return undefined;
    throw new InputError(`Cannot read ${path}: ${fileReason(error)}`, { cause: error });
  });
}
