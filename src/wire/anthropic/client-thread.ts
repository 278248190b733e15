import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';

/**
 * Rejects a conversation that Anthropic would store: the next turn would contain only the new messages, and no other
 * provider has the earlier ones. SDKs start such threads by themselves in their tool loops.
 * @throws ProxyError `unsupported`
 * @see https://github.com/anthropics/anthropic-sdk-typescript, `BetaMessageThread`
 */
export function refuseThread({ thread }: JsonObject): void {
  if (thread === undefined || thread === null) return;
  throw new ProxyError(
    'unsupported',
    'Cannot continue a thread: its messages are not stored, send the whole conversation',
    { param: 'thread' },
  );
}

/** The error that makes clients continue with whole conversations; `undefined` for other errors. */
export function threadDetails({ fault, param }: ProxyError): JsonObject | undefined {
  return fault === 'unsupported' && param === 'thread'
    ? { error_code: 'thread_unsupported_request' }
    : undefined;
}
