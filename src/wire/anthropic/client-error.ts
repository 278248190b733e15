import { eventsText } from '../long-events.ts';
import type { ProxyError } from '../../errors.ts';
import type { Fault } from '../../faults.ts';
import type { JsonObject } from '../json.ts';
import { messageEvent } from './client-blocks.ts';
import { threadDetails } from './client-thread.ts';

const TYPES: ReadonlySet<string> = new Set([
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'conflict_error',
  'request_too_large',
  'rate_limit_error',
  'timeout_error',
  'overloaded_error',
  'api_error',
]);

/** What faults are to Anthropic's clients; others are an `api_error`. */
const BY_FAULT: Readonly<Partial<Record<Fault, string>>> = {
  rate_limited: 'rate_limit_error',
  full: 'rate_limit_error',
  over_limit: 'rate_limit_error',
  over_budget: 'rate_limit_error',
  over_share: 'rate_limit_error',
  overloaded: 'overloaded_error',
  unavailable: 'overloaded_error',
  shutting_down: 'overloaded_error',
  timeout_connect: 'timeout_error',
  timeout_first_byte: 'timeout_error',
  timeout_first_content: 'timeout_error',
  timeout_idle: 'timeout_error',
  timeout_total: 'timeout_error',
  deadline: 'timeout_error',
  request_timeout: 'timeout_error',
  billing: 'billing_error',
  not_found: 'not_found_error',
  unknown_route: 'not_found_error',
  unknown_model: 'not_found_error',
  context_length: 'invalid_request_error',
  content_policy: 'invalid_request_error',
  unsupported: 'invalid_request_error',
  prefill_unsupported: 'invalid_request_error',
  usage_unasked: 'invalid_request_error',
  schema_refused: 'invalid_request_error',
  seals_refused: 'invalid_request_error',
  invalid_request: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  unsupported_encoding: 'invalid_request_error',
  unauthenticated: 'authentication_error',
  not_permitted: 'permission_error',
  foreign_host: 'permission_error',
  foreign_origin: 'permission_error',
  too_large: 'request_too_large',
};

/** Clients recognise by these words that the conversation must be shortened. */
const TOO_LONG = 'prompt is too long';

/**
 * An error in Anthropic's shape. The provider's own type is kept where it is one of theirs.
 * @param attempts what was tried; reported as `details`, unless the client expects a value of its own there
 * @see https://docs.anthropic.com/en/api/errors
 */
export function messagesErrorBody(
  error: ProxyError,
  requestId: string,
  attempts: readonly unknown[] = [],
): JsonObject & { type: 'error' } {
  const details = threadDetails(error) ?? (attempts.length > 0 ? attempts : undefined);
  return {
    type: 'error',
    error: {
      type: typeOf(error),
      message: messageOf(error),
      ...(details ? { details } : {}),
    },
    request_id: requestId,
  };
}

/** An error as the last event of a message's stream. */
export function messagesErrorEvent(error: ProxyError, requestId: string): string {
  return eventsText([messageEvent(messagesErrorBody(error, requestId))]);
}

function typeOf({ upstream, fault }: ProxyError): string {
  const own = upstream?.type;
  return own !== undefined && TYPES.has(own) ? own : (BY_FAULT[fault] ?? 'api_error');
}

function messageOf({ fault, message }: ProxyError): string {
  const hidden = fault === 'context_length' && !message.toLowerCase().includes(TOO_LONG);
  return hidden ? `${TOO_LONG}: ${message}` : message;
}
