import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';

/**
 * Refuses a conversation that Anthropic would hold: its next turn brings the new messages alone, and nobody else
 * has the earlier ones. SDKs begin one by themselves in their tool loops.
 * @throws ProxyError `unsupported`
 * @see https://github.com/anthropics/anthropic-sdk-typescript, `BetaMessageThread`
 */
export function refuseThread({ thread }: JsonObject): void {
  if (thread === undefined || thread === null) return;
  throw new ProxyError(
    'unsupported',
    'Cannot hold a thread: its messages are stored nowhere, send the whole conversation',
    { param: 'thread' },
  );
}

/** By which clients know to go on with whole conversations; `undefined` for other errors. */
export function threadDetails({ fault, param }: ProxyError): JsonObject | undefined {
  return fault === 'unsupported' && param === 'thread'
    ? { error_code: 'thread_unsupported_request' }
    : undefined;
}
