import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import { statusOf } from '../../errors.ts';
import { isObject } from '../json.ts';

/** Google's status names for HTTP statuses. @see https://cloud.google.com/apis/design/errors#handling_errors */
const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};

const TYPE = 'type.googleapis.com/google.rpc.';

/** The message by which clients recognise that they must shorten the conversation. */
const TOO_LONG = 'exceeds the maximum number of tokens allowed';

/**
 * An error in Google's format. The attempts, and the id of the request in the log, are in Google's own details.
 * @see https://google.aip.dev/193
 */
export function geminiErrorBody(
  error: ProxyError,
  requestId: string,
  attempts: readonly unknown[] = [],
): JsonObject {
  const code = statusOf(error);
  return {
    error: {
      code,
      message: messageOf(error),
      status: STATUSES[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'),
      details: detailsOf(error, requestId, attempts),
    },
  };
}

/** An error as the last event of a stream. */
export function geminiErrorEvent(error: ProxyError, requestId: string): string {
  return `data: ${JSON.stringify(geminiErrorBody(error, requestId))}\n\n`;
}

function messageOf({ fault, message }: ProxyError): string {
  const hidden = fault === 'context_length' && !message.includes(TOO_LONG);
  return hidden ? `The input token count ${TOO_LONG}: ${message}` : message;
}

function detailsOf(error: ProxyError, requestId: string, attempts: readonly unknown[]): JsonObject[] {
  const { fault, rule, param, retryAfterMs } = error;
  const reason = fault === 'unauthenticated' ? 'API_KEY_INVALID' : rule.code.toUpperCase();
  return [
    {
      '@type': `${TYPE}ErrorInfo`,
      reason,
      domain: 'llmproxy',
      metadata: param === undefined ? {} : { param },
    },
    { '@type': `${TYPE}RequestInfo`, requestId },
    ...(retryAfterMs === undefined
      ? []
      : [{ '@type': `${TYPE}RetryInfo`, retryDelay: `${Math.ceil(retryAfterMs / 1000)}s` }]),
    ...(attempts.length > 0
      ? [{ '@type': `${TYPE}DebugInfo`, stackEntries: attempts.map(shownAttempt), detail: message(attempts) }]
      : []),
  ];
}

function message({ length }: readonly unknown[]): string {
  return length === 1 ? '1 attempt was made' : `${length} attempts were made`;
}

function shownAttempt(attempt: unknown): string {
  if (!isObject(attempt)) return '';
  const { target, fault, status } = attempt;
  return `${String(target)}: ${String(fault ?? 'answered')}${typeof status === 'number' ? ` (${status})` : ''}`;
}
