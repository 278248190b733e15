import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import type { LongEvent } from '../long-events.ts';
import { clientErrorCode } from '../client-error-code.ts';
import { eventOf } from '../long-events.ts';

/** The error codes that clients distinguish; they treat any other code like the first one. */
const CODES: ReadonlySet<string> = new Set([
  'server_error',
  'rate_limit_exceeded',
  'invalid_prompt',
  'context_length_exceeded',
  'insufficient_quota',
  'server_is_overloaded',
  'slow_down',
]);

/**
 * The last events of a failed response: `error`, which OpenAI's own clients throw, and `response.failed`, which others,
 * including Codex, wait for and show.
 * @param response the response so far
 * @param next the sequence number of the first of them
 */
export function failureEvents(error: ProxyError, response: JsonObject, next: number): (string | LongEvent)[] {
  const { upstream, message } = error;
  const code = clientErrorCode(error);
  const param = upstream?.param ?? error.param ?? null;
  const failed = {
    ...response,
    status: 'failed',
    completed_at: null,
    error: { code: failedCode(error), message },
    incomplete_details: null,
  };
  return [
    event({ type: 'error', code, message, param, sequence_number: next }),
    event({ type: 'response.failed', response: failed, sequence_number: next + 1 }),
  ];
}

/** The error code of a failed response. */
export function failedCode(error: ProxyError): string {
  const code = clientErrorCode(error);
  return CODES.has(code) ? code : 'server_error';
}

function event(value: JsonObject & { type: string }): string | LongEvent {
  return eventOf(value.type, value);
}
