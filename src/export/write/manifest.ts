/** Reads manifests of earlier exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../wire/json.ts';

/** The row files listed in a directory's manifest; `undefined` when there is no manifest. */
export function outputsOf(directory: string): string[] | undefined {
  const manifest = manifestAt(join(directory, 'manifest.json'));
  return manifest && listOf(manifest.outputs).flatMap((output) => stringOf(objectOf(output).path) ?? []);
}

/** The plan of an export in stages, within the directory of the dataset. */
export const PLAN_FILE = 'plan.json';

/** Whether a directory is, or was, the output of an export in stages. */
export function holdsPlan(directory: string): boolean {
  const plan = objectAt(join(directory, PLAN_FILE));
  return typeof plan?.contract === 'number' && typeof plan.llmproxy === 'string';
}

export function isManifest(path: string): boolean {
  return manifestAt(path) !== undefined;
}

function manifestAt(path: string): JsonObject | undefined {
  const manifest = objectAt(path);
  // Other programs also write files named manifest.json.
  return typeof manifest?.llmproxy === 'string' ? manifest : undefined;
}

function objectAt(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // It is missing or cannot be read: no file there is known to be ours.
    return undefined;
  }
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}
