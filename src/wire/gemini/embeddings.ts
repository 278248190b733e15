import type { JsonObject } from '../json.ts';
import { isObject, listOf, numberOf, objectOf } from '../json.ts';
import { embeddingInputs, embeddingList } from '../openai/embeddings.ts';

const NOT_COUNTED = { prompt_tokens: 0, total_tokens: 0 };

/** For `:batchEmbedContents`. @see https://ai.google.dev/api/embeddings */
export function encodeGeminiEmbeddings(
  request: JsonObject,
  model: string,
): { body: JsonObject; dropped: string[] } {
  const size = numberOf(request.dimensions);
  const requests = embeddingInputs(request).map((text) => ({
    model: `models/${model}`,
    content: { parts: [{ text }] },
    ...(size === undefined ? {} : { outputDimensionality: size }),
  }));
  return { body: { requests }, dropped: request.user === undefined ? [] : ['user'] };
}

/** Gemini counts no tokens of embeddings: the usage is 0. */
export function decodeGeminiEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  const vectors = listOf(answer.embeddings).map((each) => listOf(objectOf(each).values) as number[]);
  return embeddingList(vectors, model, format, NOT_COUNTED);
}

/** For Vertex's `:predict`. */
export function encodeVertexEmbeddings(request: JsonObject): { body: JsonObject; dropped: string[] } {
  const size = numberOf(request.dimensions);
  const instances = embeddingInputs(request).map((content) => ({ content }));
  const parameters = size === undefined ? {} : { parameters: { outputDimensionality: size } };
  return { body: { instances, ...parameters }, dropped: request.user === undefined ? [] : ['user'] };
}

export function decodeVertexEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  const given = listOf(answer.predictions)
    .filter(isObject)
    .map(({ embeddings }) => objectOf(embeddings));
  const vectors = given.map(({ values }) => listOf(values) as number[]);
  const tokens = given.reduce(
    (sum, { statistics }) => sum + (numberOf(objectOf(statistics).token_count) ?? 0),
    0,
  );
  return embeddingList(vectors, model, format, { prompt_tokens: tokens, total_tokens: tokens });
}
