import { statSync } from 'node:fs';
import type { PlannedInput } from './stage-plan.ts';
import { fileReason } from '../../logs/names.ts';
import { ExportError } from '../errors.ts';

/**
 * Stages read the logs more than once and on several machines, so these must be what they were. The version of an object
 * is compared where it is read.
 * @throws ExportError when a file is missing or has changed since the plan was made
 */
export function refuseChanged({ name, path, bytes, modifiedMs }: PlannedInput): void {
  if (modifiedMs === undefined) return;
  let found;
  try {
    found = statSync(path);
  } catch (cause) {
    throw new ExportError('failed', `Cannot read ${name}: ${fileReason(cause)}`, { cause });
  }
  if (found.size !== bytes || Math.floor(found.mtimeMs) !== modifiedMs)
    throw new ExportError(
      'failed',
      `Cannot read ${name}: it has changed since the plan was made; leave logs out that are still written, and run --stage plan again`,
    );
}
