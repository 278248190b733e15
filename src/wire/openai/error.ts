import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import { clientErrorCode } from '../client-error-code.ts';

/**
 * An error in OpenAI's format: the four fields that clients read, and `request_id` to find it in the log.
 * The provider's own message, code and type are kept if there are any.
 * @see https://platform.openai.com/docs/guides/error-codes
 */
export function openaiErrorBody(
  error: ProxyError,
  requestId: string,
  details?: readonly unknown[],
): JsonObject {
  const { upstream, rule } = error;
  return {
    error: {
      message: error.message,
      type: upstream?.type ?? rule.type,
      param: upstream?.param ?? error.param ?? null,
      code: clientErrorCode(error),
      request_id: requestId,
      ...(details && details.length > 0 ? { details } : {}),
    },
  };
}

/** An error as the last event of a stream of chunks. */
export function chatErrorEvent(error: ProxyError, requestId: string): string {
  return `data: ${JSON.stringify(openaiErrorBody(error, requestId))}\n\n`;
}
