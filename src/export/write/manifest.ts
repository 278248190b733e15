/** Reads manifests of earlier exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../wire/json.ts';

/** The row files in a directory's manifest; `undefined` when it has none. */
export function outputsOf(directory: string): string[] | undefined {
  const manifest = manifestAt(join(directory, 'manifest.json'));
  return manifest && listOf(manifest.outputs).flatMap((output) => stringOf(objectOf(output).path) ?? []);
}

/** The plan of an export in stages, within the directory that the dataset goes to. */
export const PLAN_FILE = 'plan.json';

/** Whether an export in stages goes to a directory, or went there. */
export function holdsPlan(directory: string): boolean {
  const plan = objectAt(join(directory, PLAN_FILE));
  return typeof plan?.contract === 'number' && typeof plan.llmproxy === 'string';
}

export function isManifest(path: string): boolean {
  return manifestAt(path) !== undefined;
}

function manifestAt(path: string): JsonObject | undefined {
  const manifest = objectAt(path);
  // Others call files manifest.json too.
  return typeof manifest?.llmproxy === 'string' ? manifest : undefined;
}

function objectAt(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // There is none, or none that can be read: nothing there is known to be ours.
    return undefined;
  }
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}
