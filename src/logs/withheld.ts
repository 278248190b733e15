import type { LogRecord } from './record.ts';

const UNREDACTED = 'left out, because it could not be redacted';

/** The record without any content, for cases in which the content could not be redacted. */
export function withheld(record: LogRecord): LogRecord {
  const { request, response, error, feedback, omitted = [] } = record;
  const parts = Object.entries({ request, response }).filter(([, text]) => text !== undefined);
  const left = [...omitted, ...parts.map(([part]) => part)];
  return {
    ...record,
    request: undefined,
    response: undefined,
    error: error === null ? null : UNREDACTED,
    ...(feedback ? { feedback: { ...feedback, correction: undefined, comment: undefined } } : {}),
    ...(left.length > 0 ? { omitted: left } : {}),
  };
}
