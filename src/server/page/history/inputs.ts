import type { LogInput } from '../../../logs/input.ts';
import { findInputs } from '../../../logs/input.ts';
import { listLogs } from '../../../logs/names.ts';

/** The files of the log, oldest first; none where nothing was logged so far. */
export async function logInputs(directory: string): Promise<LogInput[]> {
  return (await listLogs(directory)).length > 0 ? await findInputs([directory]) : [];
}
