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

/** How many texts one request may hold. */
interface MostTexts {
  readonly protocol: EmbeddingProtocolName;
  readonly match: RegExp;
  readonly texts: number;
  readonly source: string;
}

/** The first match counts; more texts are asked for in several requests. */
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

/** How many texts one request to a model may hold; `Infinity` where that is not known. */
export function mostTexts(protocol: EmbeddingProtocolName, model: string): number {
  const row = MOST_TEXTS.find((each) => each.protocol === protocol && each.match.test(model));
  return row?.texts ?? Infinity;
}
