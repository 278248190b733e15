/**
 * Stores the providers' lists of models on disk, so that they are available at the next start even without a network.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ListedModel } from './model-list.ts';
import { isObject, objectOf, stringOf } from '../wire/json.ts';
import { modelOf } from './model-list.ts';

/** The models of one provider. */
export interface Listing {
  /** The address they were listed at: a list from another address does not apply. */
  readonly service: string;
  /** When they were listed, epoch milliseconds. */
  readonly atMs: number;
  readonly models: readonly ListedModel[];
}

/** Lists by the name of the provider. */
export type Listings = ReadonlyMap<string, Listing>;

/** The most models kept per provider. */
export const MAX_LISTED = 2_000;

/** A larger file was not written by this program. */
const MAX_BYTES = 16 * 1024 * 1024;
const VERSION = 1;

/** The path of the file. @param directory `state.directory` */
export function modelsFile(directory: string): string {
  return join(directory, 'models.json');
}

/**
 * Reads the lists from the file. If it is missing, damaged or of another version, there are none, and they are
 * requested again.
 */
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

/** Replaces the file atomically. @throws as the file system does */
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
    // It is only a cache: without it, the providers are asked.
    return {};
  }
}

function listedIn(rows: readonly unknown[]): ListedModel[] {
  return rows.flatMap((row) => (isObject(row) ? (modelOf(row) ?? []) : [])).slice(0, MAX_LISTED);
}
