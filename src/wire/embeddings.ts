import type { JsonObject } from './json.ts';

/** Ways to ask for embeddings that are not OpenAI's. */
export type EmbeddingProtocolName = 'gemini' | 'vertex' | 'cohere' | 'bedrock';

/** A client's request for embeddings in OpenAI's words, and how it is answered. */
export interface EmbeddingsAsked {
  readonly request: JsonObject;
  /** Fields that have no place there. */
  readonly dropped: readonly string[];
  /** OpenAI's answer, with vectors as lists of numbers, in the client's protocol. */
  encode(answer: JsonObject): JsonObject;
}

/** How clients of a protocol ask for embeddings. */
export interface EmbeddingClient {
  /** @throws ProxyError `invalid_request` naming the field at fault */
  decode(body: JsonObject): EmbeddingsAsked;
}
