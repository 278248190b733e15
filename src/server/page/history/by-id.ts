import type { LogInput } from '../../../logs/input.ts';
import type { RecordWithFeedback } from '../../../logs/newest/by-id.ts';
import type { RawPart } from './jobs.ts';
import { recordById } from '../../../logs/newest/by-id.ts';
import { timeLimit } from './time-limit.ts';

/** The time limit for finding one record, milliseconds. */
const PATIENCE_MS = 20_000;

/** @returns `undefined` if there is none */
export async function requestById(
  inputs: readonly LogInput[],
  id: string,
): Promise<RecordWithFeedback | undefined> {
  return await recordById(inputs, id, { signal: timeLimit(PATIENCE_MS).signal });
}

/** A body as formatted JSON; `undefined` if it was not logged. */
export function rawBody(
  found: RecordWithFeedback | undefined,
  part: RawPart,
): Uint8Array<ArrayBuffer> | undefined {
  const body = found?.record[part];
  return body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body, null, 2));
}
