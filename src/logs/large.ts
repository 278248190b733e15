/** Large records become lines elsewhere: taking the secrets out of megabytes would hold the event loop. */
import type { LogRecord } from './record.ts';

/** Takes the secrets out of a record and makes it a line, off the event loop. */
export type LineMaker = (record: LogRecord) => Promise<Uint8Array>;

/**
 * From here on a record is large, characters of what it holds of request and response. Handing a record of a million
 * characters to the thread costs four times the CPU of making its line here, which takes a millisecond, or five
 * where it holds a secret.
 */
const LARGE = 2 * 1024 * 1024;

/** Characters of a record that is large; `undefined` for any other. */
export function largeSize({ request, response }: LogRecord): number | undefined {
  const size = (request?.length ?? 0) + (response?.length ?? 0);
  return size > LARGE ? size : undefined;
}
