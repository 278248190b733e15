import type { JsonObject } from '../json.ts';
import type { SseEvent } from '../sse.ts';
import { eventJson } from '../event-json.ts';
import { entryOf, objectOf, stringOf } from '../json.ts';

/** Bedrock's exceptions by the word before `Exception`, as Anthropic's types, which `classifyBody` knows. */
const TYPES: Readonly<Record<string, string>> = {
  throttling: 'rate_limit_error',
  servicequotaexceeded: 'rate_limit_error',
  serviceunavailable: 'overloaded_error',
  modelnotready: 'overloaded_error',
  validation: 'invalid_request_error',
  accessdenied: 'permission_error',
  resourcenotfound: 'model_not_found',
  modeltimeout: 'api_error',
  modelstreamerror: 'api_error',
  modelerror: 'api_error',
  internalserver: 'api_error',
};

/**
 * An exception in a stream as an error body; `undefined` for other events.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
export function exceptionBody(frame: SseEvent): JsonObject | undefined {
  const { event = '' } = frame;
  if (event !== 'error' && !/(?:exception|error)$/i.test(event)) return undefined;
  const body = objectOf(eventJson(frame));
  const name = event === 'error' ? (stringOf(body.code) ?? event) : event;
  const message =
    stringOf(body.message) ?? stringOf(body.Message) ?? stringOf(body.originalMessage) ?? 'no message';
  const type = entryOf(TYPES, name.toLowerCase().replace(/exception$/, '')) ?? 'api_error';
  return { type: 'error', error: { type, message: `${name}: ${message}` } };
}
