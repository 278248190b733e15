import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { taskIn } from '../embedding-purpose.ts';
import { isObject, listOf, numberOf, objectOf } from '../json.ts';
import { embeddingInputs, embeddingList, vectorOf } from '../openai/embeddings.ts';
import { sumOf, tokenCount } from '../units.ts';

/**
 * Encodes OpenAI's embeddings for `:batchEmbedContents`. Clients may set `task_type`, or Cohere's `input_type`.
 * @throws ProxyError `invalid_request`, `unsupported` for tokens
 * @see https://ai.google.dev/api/embeddings
 */
export function encodeGeminiEmbeddings(
  request: JsonObject,
  model: string,
): { body: JsonObject; dropped: string[] } {
  const { size, task } = wishes(request);
  const requests = embeddingInputs(request).map((text) => ({
    model: `models/${model}`,
    content: { parts: [{ text }] },
    ...(task === undefined ? {} : { taskType: task }),
    ...(size === undefined ? {} : { outputDimensionality: size }),
  }));
  return { body: { requests }, dropped: droppedOf(request) };
}

/** The answer in OpenAI's format. Most models report no tokens for embeddings: 0. @throws ProxyError `malformed` */
export function decodeGeminiEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  const given = Array.isArray(answer.embeddings) ? answer.embeddings : [answer.embedding];
  const tokens = tokenCount(objectOf(answer.usageMetadata).promptTokenCount) ?? 0;
  return listed(given, model, format, tokens);
}

/**
 * Encodes OpenAI's embeddings for Vertex AI's `:predict`.
 * @throws ProxyError `invalid_request`, `unsupported` for tokens
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */
export function encodeVertexEmbeddings(request: JsonObject): { body: JsonObject; dropped: string[] } {
  const { size, task } = wishes(request);
  const instances = embeddingInputs(request).map((content) => ({
    content,
    ...(task === undefined ? {} : { task_type: task }),
  }));
  const parameters = size === undefined ? {} : { parameters: { outputDimensionality: size } };
  return { body: { instances, ...parameters }, dropped: droppedOf(request) };
}

/** The answer in OpenAI's format. @throws ProxyError `malformed` */
export function decodeVertexEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  const given = listOf(answer.predictions).map((each) => objectOf(objectOf(each).embeddings));
  const tokens = given
    .map(({ statistics }) => tokenCount(objectOf(statistics).token_count) ?? 0)
    .reduce((sum, count) => sumOf(sum, count), 0);
  return listed(given, model, format, tokens);
}

function wishes(request: JsonObject): { size?: number; task?: string } {
  return { size: numberOf(request.dimensions), task: taskIn(request) };
}

function droppedOf({ user }: JsonObject): string[] {
  return user === undefined || user === null ? [] : ['user'];
}

function listed(
  given: readonly unknown[],
  model: string,
  format: 'float' | 'base64',
  tokens: number,
): JsonObject {
  if (given.length === 0 || !given.every((each) => isObject(each) && Array.isArray(each.values))) {
    throw new ProxyError('malformed', 'Cannot read the answer: it contains no embeddings');
  }
  const vectors = given.map((each) => vectorOf(objectOf(each).values));
  return embeddingList(vectors, model, format, { prompt_tokens: tokens, total_tokens: tokens });
}
