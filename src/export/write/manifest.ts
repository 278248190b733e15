/** Manifests of earlier exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../wire/json.ts';

/** The files of rows that a directory's manifest names; `undefined` when it has none. */
export function outputsOf(directory: string): string[] | undefined {
  const manifest = manifestAt(join(directory, 'manifest.json'));
  return manifest && listOf(manifest.outputs).flatMap((output) => stringOf(objectOf(output).path) ?? []);
}

export function isManifest(path: string): boolean {
  return manifestAt(path) !== undefined;
}

function manifestAt(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // No manifest, or none that can be read: nothing there is known to be ours.
    return undefined;
  }
  const manifest = parseJson(text);
  // Others call files manifest.json too.
  return isObject(manifest) && typeof manifest.llmproxy === 'string' ? manifest : undefined;
}
