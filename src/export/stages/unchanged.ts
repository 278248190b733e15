import { statSync } from 'node:fs';
import type { PlannedInput } from './stage-plan.ts';
import { fileReason } from '../../logs/names.ts';
import { currentEtag, s3Place } from '../../logs/s3.ts';
import { ExportError } from '../errors.ts';

/**
 * Stages read the logs more than once and on several machines, so these must not change.
 * @throws ExportError, InputError when an input is missing or has changed since the plan was made
 */
export async function refuseChanged({ name, path, bytes, modifiedMs, etag }: PlannedInput): Promise<void> {
  if (etag !== undefined) {
    if (etag !== '' && (await currentEtag(s3Place(path))) !== etag) throw changed(name);
    return;
  }
  let found;
  try {
    found = statSync(path);
  } catch (cause) {
    throw new ExportError('failed', `Cannot read ${name}: ${fileReason(cause)}`, { cause });
  }
  if (found.size !== bytes || Math.floor(found.mtimeMs) !== modifiedMs) throw changed(name);
}

function changed(name: string): ExportError {
  return new ExportError(
    'failed',
    `Cannot read ${name}: it has changed since the plan was made; leave logs out that are still written, and run --stage plan again`,
  );
}
