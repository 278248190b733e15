/** Manifests of earlier exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../wire/json.ts';

/** The files of rows that a directory's manifest names; `undefined` when it has none. */
export function outputsOf(directory: string): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, 'manifest.json'), 'utf8');
  } catch {
    // No manifest, or none that can be read: nothing there is known to be ours.
    return undefined;
  }
  const manifest = parseJson(text);
  if (!isObject(manifest) || typeof manifest.llmproxy !== 'string') return undefined;
  return listOf(manifest.outputs).flatMap((output) => stringOf(objectOf(output).path) ?? []);
}
