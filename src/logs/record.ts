/** Writes log lines; what they hold says record-schema.ts, which loads zod and is left alone by what reads and writes. */
import type { z } from 'zod';
import type { body, head, recordSchema } from './record-schema.ts';

export const RECORD_VERSION = 1;

export const OUTCOMES = ['success', 'error', 'truncated', 'client_abort'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export type RecordHead = z.infer<typeof head>;

/** A record as the pipeline makes it: `request` and `response` are JSON text, spliced into the line as they are. */
export type LogRecord = RecordHead &
  Omit<z.infer<typeof body>, 'request' | 'response'> & { request?: string; response?: string };

/** A record as a reader gets it: `request` and `response` are parsed. */
export type ReadRecord = z.infer<typeof recordSchema>;

/** JSON text on one line: pretty-printed bodies are packed. */
function oneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? JSON.stringify(JSON.parse(json)) : json;
}

/**
 * One log line with its final newline. Head first; `request` and `response` are spliced in without
 * being parsed again, which costs less than the rest of the line.
 */
export function encodeRecord(record: LogRecord): string {
  const { request, response, ...rest } = record;
  let line = JSON.stringify(rest);
  if (request === undefined && response === undefined) return `${line}\n`;
  line = line.slice(0, -1);
  if (request !== undefined) line += `,"request":${oneLine(request)}`;
  if (response !== undefined) line += `,"response":${oneLine(response)}`;
  return `${line}}\n`;
}
