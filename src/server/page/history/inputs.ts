import type { LogInput } from '../../../logs/input.ts';
import { findInputs } from '../../../logs/input.ts';
import { listLogs } from '../../../logs/names.ts';

/** The log files, oldest first; empty if nothing has been logged. */
export async function logInputs(directory: string): Promise<LogInput[]> {
  return (await listLogs(directory)).length > 0 ? await findInputs([directory]) : [];
}
