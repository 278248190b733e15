import type { JsonObject } from './json.ts';

/** Formats of embeddings other than OpenAI's. */
export type EmbeddingProtocolName = 'gemini' | 'vertex' | 'cohere' | 'bedrock';

/** A client's request for embeddings in OpenAI's format, and a function that writes the answer. */
export interface EmbeddingsRequest {
  readonly request: JsonObject;
  /** Fields that OpenAI's format does not have. */
  readonly dropped: readonly string[];
  /** Converts OpenAI's answer, with vectors as lists of numbers, to the client's format. */
  encode(answer: JsonObject): JsonObject;
}

/** Converts embeddings of clients to OpenAI's format. */
export interface EmbeddingClient {
  /** @throws ProxyError `invalid_request` naming the invalid field */
  decode(body: JsonObject): EmbeddingsRequest;
}

/** The largest number of texts in one request. */
interface MostTexts {
  readonly protocol: EmbeddingProtocolName;
  readonly match: RegExp;
  readonly texts: number;
  readonly source: string;
}

/** The first match counts; a longer list of texts is split into several requests. */
export const MOST_TEXTS: readonly MostTexts[] = [
  {
    protocol: 'bedrock',
    match: /titan-embed/,
    texts: 1,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html',
  },
  {
    protocol: 'bedrock',
    match: /cohere/,
    texts: 96,
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html',
  },
  { protocol: 'cohere', match: /./, texts: 96, source: 'https://docs.cohere.com/reference/embed' },
  { protocol: 'gemini', match: /./, texts: 100, source: 'https://ai.google.dev/api/embeddings' },
  {
    protocol: 'vertex',
    match: /gemini-embedding/,
    texts: 1,
    source: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api',
  },
  {
    protocol: 'vertex',
    match: /./,
    texts: 250,
    source: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api',
  },
];

/** The largest number of texts in one request to a model; `Infinity` if unknown. */
export function mostTexts(protocol: EmbeddingProtocolName, model: string): number {
  const row = MOST_TEXTS.find((each) => each.protocol === protocol && each.match.test(model));
  return row?.texts ?? Infinity;
}
