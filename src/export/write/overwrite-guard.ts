/** The overwrite guard: an export replaces only files that an earlier export wrote. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ExportError } from '../errors.ts';
import { holdsPlan, outputsOf, PLAN_FILE } from './manifest.ts';
import { exists } from './staging-file.ts';

/** Files that an export writes beside the rows. The manifest is last, since it names the others. */
const SIDECARS = ['README.md', 'dataset_info.json', PLAN_FILE, 'manifest.json'];
/** A shard of an export in stages, before a manifest names it. */
const SHARD = /^data\/[\w.-]+-\d{5,}-of-\d{5,}\.(?:jsonl(?:\.gz|\.zst)?|parquet)$/;

/**
 * Files in a directory that may be replaced; none when it is empty or missing. `-o . --force` must not
 * delete other work, so the manifest among them must name all of them. @param path the directory
 * @param name as the user gave it
 * @throws ExportError when there are other files, or any files without `force`
 */
export function replaceable(path: string, { name, force }: { name: string; force: boolean }): string[] {
  const link = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!link) return [];
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (!found) throw new ExportError('failed', `Cannot write ${name}: it is a dangling link`);
  if (!found.isDirectory()) throw new ExportError('failed', `Cannot write ${name}: it is a file`);
  const outputs = outputsOf(path);
  const staged = holdsPlan(path);
  const own = new Set(outputs || staged ? [...(outputs ?? []), ...SIDECARS] : []);
  const isOwn = (file: string) => own.has(file) || (staged && SHARD.test(file));
  const holds: string[] = [];
  for (const file of filesIn(path, '')) {
    if (!force) throw exists(name);
    if (!isOwn(file))
      throw new ExportError('failed', `Cannot replace ${name}: ${file} in it was not written by an export`);
    holds.push(file);
  }
  const rank = (file: string) => SIDECARS.indexOf(file);
  return holds.toSorted((a, b) => rank(a) - rank(b));
}

/** A staging directory within a directory, of an export that crashed or is in progress. */
const STAGING = /^\.llmproxy\.[\w.-]+\.tmp$/;

/**
 * Files in a directory and its subdirectories. A link counts as a file: its target does not belong to the
 * export.
 */
function* filesIn(directory: string, below: string): Generator<string> {
  for (const entry of fs.readdirSync(join(directory, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (below === '' && STAGING.test(entry.name)) continue;
    if (entry.isDirectory()) yield* filesIn(directory, path);
    else yield path;
  }
}
