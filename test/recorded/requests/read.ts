import type { Api } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import type { Asker, Asking } from './asking.ts';
import { chatAsking } from './chat.ts';
import { cohereAsking } from './cohere.ts';
import { converseAsking } from './converse.ts';
import { geminiAsking } from './gemini.ts';
import { interactionsAsking } from './interactions.ts';
import { messagesAsking } from './messages.ts';
import { ollamaAsking } from './ollama.ts';
import { responsesAsking } from './responses.ts';

const READERS: Readonly<Record<Api | Asker, (body: Json) => Asking>> = {
  chat: chatAsking,
  messages: messagesAsking,
  responses: responsesAsking,
  gemini: geminiAsking,
  converse: converseAsking,
  cohere: cohereAsking,
  ollama: ollamaAsking,
  interactions: interactionsAsking,
};

/** Reads the content of a request. @throws Error for a part of an unknown kind */
export function askingIn(body: Json, api: Api | Asker): Asking {
  return READERS[api](body);
}
