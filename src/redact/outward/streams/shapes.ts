import type { Endpoint } from '../../../wire/endpoints.ts';
import type { Restorer } from '../restorer.ts';
import type { StreamShape } from '../restore-events.ts';
import { RestoredEvents } from '../restore-events.ts';
import { CHAT_STREAM } from './chat.ts';
import { GEMINI_STREAM } from './gemini.ts';
import { MESSAGES_STREAM } from './messages.ts';
import { OLLAMA_STREAM } from './ollama.ts';
import { RESPONSES_STREAM } from './responses.ts';

const SHAPES: Partial<Record<Endpoint, StreamShape>> = {
  messages: MESSAGES_STREAM,
  responses: RESPONSES_STREAM,
  gemini: GEMINI_STREAM,
  'ollama.chat': OLLAMA_STREAM,
  'ollama.generate': OLLAMA_STREAM,
};

/** Restores the events of an endpoint. */
export function restoredEvents(endpoint: Endpoint, restorer: Restorer): RestoredEvents {
  return new RestoredEvents(SHAPES[endpoint] ?? CHAT_STREAM, restorer);
}
