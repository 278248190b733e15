import type { ChatResponse } from '../wire/chat.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Entry, Facts } from './facts.ts';
import { ProxyError } from '../errors.ts';
import { decodeAnthropicResponse } from '../wire/anthropic/response.ts';
import { clientOf } from '../wire/clients.ts';
import { isObject } from '../wire/json.ts';
import { decodeResponse } from '../wire/responses/response.ts';
import { NO_MEMORY } from '../wire/protocol.ts';

type Talk = 'messages' | 'responses';

/** An exchange of Anthropic's Messages or OpenAI's Responses, as the chat it would be. */
export function translated(
  endpoint: Talk,
  request: JsonObject,
  response: unknown,
  facts: Facts,
): Omit<Entry, 'record'> {
  // The conversation before it lies with the provider.
  if (endpoint === 'responses' && (request.previous_response_id ?? request.conversation ?? null) !== null)
    return { ...facts, flaw: facts.flaw ?? 'stored_conversation', request: {}, answer: {} };
  let ids = 0;
  // The same line makes the same row: ids that are missing are counted.
  const context = { created: 0, model: facts.model, memory: NO_MEMORY, newId: () => String((ids += 1)) };
  try {
    const asked = clientOf(endpoint).decode(request, context).request;
    const answer = isObject(response) ? decoded(endpoint, response, context).choices[0]?.message : undefined;
    return { ...facts, request: { ...asked }, answer: { ...answer } };
  } catch (cause) {
    if (!(cause instanceof ProxyError)) throw cause;
    return { ...facts, flaw: facts.flaw ?? 'unsupported_content', request: {}, answer: {} };
  }
}

function decoded(
  endpoint: Talk,
  response: JsonObject,
  context: Parameters<typeof decodeResponse>[1],
): ChatResponse {
  return endpoint === 'messages'
    ? decodeAnthropicResponse(response, context)
    : decodeResponse(response, context);
}
