/** The names of request log files, and which files in a directory have such names. */
import { readdir } from 'node:fs/promises';

export interface LogName {
  /** The file name without the directory. */
  readonly name: string;
  /** UTC day, YYYY-MM-DD. */
  readonly day: string;
  /** The number of the worker that writes it, from 1; 0 where a single process serves. */
  readonly worker: number;
  /** Its number among the files of this worker and day, from 0. */
  readonly sequence: number;
  /** Whether it is plain, compressed, or an unfinished copy. */
  readonly kind: 'plain' | 'zst' | 'tmp';
}

const KINDS = {
  '': 'plain',
  '.zst': 'zst',
  '.zst.tmp': 'tmp',
  '.heads.tmp': 'tmp',
  '.zst.heads.tmp': 'tmp',
} as const;

export function logName(day: string, sequence: number, worker = 0): string {
  return `llmproxy-${day}${worker === 0 ? '' : `.w${worker}`}${sequence === 0 ? '' : `.${sequence}`}.ndjson`;
}

/** Parses a file name; `undefined` when it is not the name of a log file. */
export function parseLogName(name: string): LogName | undefined {
  const match =
    /^llmproxy-(\d{4}-\d\d-\d\d)(?:\.w([1-9]\d{0,2}))?(?:\.([1-9]\d{0,8}))?\.ndjson(|\.zst|\.zst\.tmp|(?:\.zst)?\.heads\.tmp)$/.exec(
      name,
    );
  if (!match) return undefined;
  const [, day, worker, sequence, ending] = match;
  const kind = KINDS[ending as keyof typeof KINDS];
  return { name, day: day!, worker: Number(worker ?? 0), sequence: Number(sequence ?? 0), kind };
}

/**
 * The log files in a directory, oldest first as far as names tell: by day, then by number; empty when the directory
 * does not exist.
 */
export async function listLogs(directory: string): Promise<LogName[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const logs = names.map(parseLogName).filter((log) => log !== undefined);
  return logs.sort((a, b) =>
    a.day === b.day ? a.sequence - b.sequence || a.worker - b.worker : a.day < b.day ? -1 : 1,
  );
}

/**
 * Parses the name of an uploaded file: the file's own name, and the machine that wrote it. `undefined` when it is not
 * such a name.
 */
export function parseUploadedName(name: string): (LogName & { readonly host: string }) | undefined {
  const match = /^(.+)-(llmproxy-\d{4}-\d\d-\d\d[.\dw]*)-[0-9a-f]{12}(\.ndjson(?:\.zst)?)$/.exec(name);
  const log = match && parseLogName(`${match[2]}${match[3]}`);
  return log ? { ...log, host: match[1]! } : undefined;
}

export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The end of a UTC day, milliseconds since the epoch. */
export function endOfDay(day: string): number {
  return Date.parse(day) + DAY_MS;
}

const DAY_MS = 86_400_000;

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Words for errors whose system message says less. */
const PLAIN_REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
};

/** An error of the file system in words: "no space left on device". */
export function fileReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, code = '', reason] = /^(E[A-Z]+): ([^,]+),/.exec(message) ?? [];
  return PLAIN_REASONS[code] ?? reason ?? message;
}
