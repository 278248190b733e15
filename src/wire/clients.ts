import type { Recorded } from './endpoints.ts';
import type { ClientProtocol } from './protocol.ts';
import { messagesClient } from './anthropic/client.ts';
import { chatClient } from './openai/client.ts';
import { responsesClient } from './responses/client.ts';

/** The protocol in which clients of an endpoint speak, and in which they are told of errors. */
export function clientOf(endpoint: Recorded): ClientProtocol {
  if (endpoint === 'messages' || endpoint === 'messages.count_tokens') return messagesClient;
  if (endpoint === 'responses' || endpoint === 'responses.input_tokens') return responsesClient;
  return chatClient;
}
