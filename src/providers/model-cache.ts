/** The lists of models that providers gave, on disk: they are there at the next start, whatever the network is like then. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ListedModel } from './model-list.ts';
import { isObject, objectOf, stringOf } from '../wire/json.ts';
import { modelOf } from './model-list.ts';

/** The models of one provider. */
export interface Listing {
  /** Where they were listed: what another address says is no word on this one. */
  readonly service: string;
  /** When, epoch milliseconds. */
  readonly atMs: number;
  readonly models: readonly ListedModel[];
}

/** Lists by the names of their providers. */
export type Listings = ReadonlyMap<string, Listing>;

/** Models of one provider that are kept at most. */
export const MAX_LISTED = 2_000;

/** A file beyond this is none of ours. */
const MAX_BYTES = 16 * 1024 * 1024;
const VERSION = 1;

/** Where the lists are kept. @param directory `state.directory` */
export function modelsFile(directory: string): string {
  return join(directory, 'models.json');
}

/** The lists of a file. One that is missing, damaged or of another version has none: they are asked for again. */
export function readListings(path: string): Listings {
  const listings = new Map<string, Listing>();
  for (const [name, row] of Object.entries(providersIn(path))) {
    const { service, at, models } = objectOf(row);
    const atMs = Date.parse(stringOf(at) ?? '');
    if (typeof service !== 'string' || !Number.isFinite(atMs) || !Array.isArray(models)) continue;
    listings.set(name, { service, atMs, models: listedIn(models) });
  }
  return listings;
}

/** Replaces the file, whole or not at all. @throws what the file system throws */
export function writeListings(path: string, listings: Listings): void {
  const rows = [...listings].map(([name, { service, atMs, models }]) => [
    name,
    { service, at: new Date(atMs).toISOString(), models },
  ]);
  const temporary = `${path}.${process.pid}.tmp`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, `${JSON.stringify({ version: VERSION, providers: Object.fromEntries(rows) })}\n`);
  renameSync(temporary, path);
}

function providersIn(path: string): Record<string, unknown> {
  try {
    if (statSync(path).size > MAX_BYTES) return {};
    const { version, providers } = objectOf(JSON.parse(readFileSync(path, 'utf8')));
    return version === VERSION ? objectOf(providers) : {};
  } catch {
    // It is a cache: without it the providers are asked.
    return {};
  }
}

function listedIn(rows: readonly unknown[]): ListedModel[] {
  return rows.flatMap((row) => (isObject(row) ? (modelOf(row) ?? []) : [])).slice(0, MAX_LISTED);
}
