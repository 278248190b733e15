import type { ProxyError } from '../../errors.ts';

/** An error as the last event of a stream. The code is the proxy's own, in lower case as in the API. */
export function interactionErrorEvent({ rule, message }: ProxyError): string {
  const data = { error: { code: rule.code, message }, event_type: 'error' };
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
}
