/** Ways to ask for embeddings that are not OpenAI's. */
export type EmbeddingProtocolName = 'gemini' | 'vertex' | 'cohere' | 'bedrock';
