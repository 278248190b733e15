import type { EmbeddingClient } from './embeddings.ts';
import type { Recorded } from './endpoints.ts';
import type { ClientProtocol } from './protocol.ts';
import { messagesClient } from './anthropic/client.ts';
import { geminiClient, geminiCountClient } from './gemini/client.ts';
import { batchEmbedContents, embedContent, predict } from './gemini/client-embeddings.ts';
import { interactionsClient } from './interactions/client.ts';
import { ollamaChat, ollamaGenerate } from './ollama/client.ts';
import { embed, oldEmbeddings } from './ollama/client-embeddings.ts';
import { chatClient } from './openai/client.ts';
import { responsesClient } from './responses/client.ts';

/** By endpoint; clients of all other endpoints use OpenAI's protocol. */
const CLIENTS: Readonly<Partial<Record<Recorded, ClientProtocol>>> = {
  messages: messagesClient,
  'messages.count_tokens': messagesClient,
  responses: responsesClient,
  'responses.input_tokens': responsesClient,
  'responses.compact': responsesClient,
  gemini: geminiClient,
  'gemini.count_tokens': geminiCountClient,
  'gemini.embed': geminiClient,
  'gemini.batch_embed': geminiClient,
  'gemini.predict': geminiClient,
  'gemini.interactions': interactionsClient,
  'ollama.chat': ollamaChat,
  'ollama.generate': ollamaGenerate,
  'ollama.embed': ollamaChat,
  'ollama.embeddings': ollamaChat,
};

/** The protocol of an endpoint's clients, which also determines the format of errors. */
export function clientOf(endpoint: Recorded): ClientProtocol {
  return CLIENTS[endpoint] ?? chatClient;
}

/** Endpoints for embeddings in a format other than OpenAI's. */
const EMBEDDING_CLIENTS: Readonly<Partial<Record<Recorded, EmbeddingClient>>> = {
  'gemini.embed': embedContent,
  'gemini.batch_embed': batchEmbedContents,
  'gemini.predict': predict,
  'ollama.embed': embed,
  'ollama.embeddings': oldEmbeddings,
};

/** The format of embeddings at an endpoint; `undefined` for OpenAI's. */
export function embeddingClientOf(endpoint: Recorded): EmbeddingClient | undefined {
  return EMBEDDING_CLIENTS[endpoint];
}
