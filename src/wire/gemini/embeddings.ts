import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { vectorOf } from '../cohere/embeddings.ts';
import { isObject, listOf, numberOf, objectOf } from '../json.ts';
import { embeddingInputs, embeddingList } from '../openai/embeddings.ts';

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

/** Gemini counts tokens since its second model of embeddings; before it the usage is 0. @throws ProxyError `malformed` */
export function decodeGeminiEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  if (!Array.isArray(answer.embeddings)) throw malformed();
  const vectors = answer.embeddings.map((each) => vectorOf(objectOf(each).values));
  const tokens = numberOf(objectOf(answer.usageMetadata).promptTokenCount) ?? 0;
  return embeddingList(vectors, model, format, { prompt_tokens: tokens, total_tokens: tokens });
}

/** For Vertex's `:predict`. */
export function encodeVertexEmbeddings(request: JsonObject): { body: JsonObject; dropped: string[] } {
  const size = numberOf(request.dimensions);
  const instances = embeddingInputs(request).map((content) => ({ content }));
  const parameters = size === undefined ? {} : { parameters: { outputDimensionality: size } };
  return { body: { instances, ...parameters }, dropped: request.user === undefined ? [] : ['user'] };
}

/** @throws ProxyError `malformed` */
export function decodeVertexEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  if (!Array.isArray(answer.predictions)) throw malformed();
  const given = listOf(answer.predictions)
    .filter(isObject)
    .map(({ embeddings }) => objectOf(embeddings));
  const vectors = given.map(({ values }) => vectorOf(values));
  const tokens = given.reduce(
    (sum, { statistics }) => sum + (numberOf(objectOf(statistics).token_count) ?? 0),
    0,
  );
  return embeddingList(vectors, model, format, { prompt_tokens: tokens, total_tokens: tokens });
}

function malformed(): ProxyError {
  return new ProxyError('malformed', 'Cannot read the answer: it holds no embeddings');
}
