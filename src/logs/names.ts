/** What the files of the request log are called, and which of them a directory holds. */
import { readdir } from 'node:fs/promises';

export interface LogName {
  /** Name without the directory. */
  readonly name: string;
  /** UTC day, YYYY-MM-DD. */
  readonly day: string;
  /** Place within the day, from 0. */
  readonly sequence: number;
  /** As written, compressed, or being compressed. */
  readonly kind: 'plain' | 'zst' | 'tmp';
}

const KINDS = { '': 'plain', '.zst': 'zst', '.zst.tmp': 'tmp' } as const;

export function logName(day: string, sequence: number): string {
  return `llmproxy-${day}${sequence === 0 ? '' : `.${sequence}`}.ndjson`;
}

/** What a file's name says, or `undefined` when it is none of ours. */
export function parseLogName(name: string): LogName | undefined {
  const match = /^llmproxy-(\d{4}-\d\d-\d\d)(?:\.([1-9]\d{0,8}))?\.ndjson(|\.zst|\.zst\.tmp)$/.exec(name);
  if (!match) return undefined;
  const [, day, sequence, ending] = match;
  return { name, day: day!, sequence: Number(sequence ?? 0), kind: KINDS[ending as keyof typeof KINDS] };
}

/** The log files of a directory, oldest first; none when there is no such directory. */
export async function listLogs(directory: string): Promise<LogName[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const logs = names.map(parseLogName).filter((log) => log !== undefined);
  return logs.sort((a, b) => (a.day === b.day ? a.sequence - b.sequence : a.day < b.day ? -1 : 1));
}

export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** An error of the file system in words: "no space left on device". */
export function fileReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z]+: ([^,]+),/.exec(message)?.[1] ?? message;
}
