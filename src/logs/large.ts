/** Large records are turned into lines by another thread: redacting megabytes would block the event loop. */
import type { LogRecord } from './record.ts';

/** Redacts a record and turns it into a line, off the event loop. */
export type LineMaker = (record: LogRecord) => Promise<Uint8Array>;

/**
 * Records above this size are large, in characters of the request and the response. Handing a record of a million
 * characters to the thread costs four times the CPU of building its line here, which takes a millisecond, or five if it
 * contains a secret.
 */
const LARGE = 2 * 1024 * 1024;

/** The size of a large record in characters; `undefined` for any other record. */
export function largeSize({ request, response }: LogRecord): number | undefined {
  const size = (request?.length ?? 0) + (response?.length ?? 0);
  return size > LARGE ? size : undefined;
}
