/** Whether directories that are written to later can be written. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileReason } from '../logs/names.ts';

/** The directory, or its nearest parent that exists. */
export function nearestExisting(directory: string): string {
  const path = resolve(directory);
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

/** Why no file can be created in a directory, which need not exist yet; `undefined` if that is possible. */
export function whyUnwritable(directory: string): string | undefined {
  const place = nearestExisting(directory);
  if (!statSync(place).isDirectory()) return `${place === resolve(directory) ? 'it' : place} is a file`;
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (cause) {
    return fileReason(cause);
  }
  return undefined;
}
