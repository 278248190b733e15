import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { inputTypeIn } from '../embedding-purpose.ts';
import { tokenCount } from '../units.ts';
import { isObject, objectOf } from '../json.ts';
import { embeddingInputs, embeddingList, vectorOf } from '../openai/embeddings.ts';

/**
 * Encodes OpenAI's embeddings as Cohere's v2 embed. Clients may set `input_type`, or Google's `task_type`; the
 * default is that texts are embedded to be searched.
 * @param model the model's name at Cohere
 * @throws ProxyError `invalid_request`, `unsupported` for tokens
 * @see https://docs.cohere.com/reference/embed
 */
export function encodeCohereEmbeddings(
  request: JsonObject,
  model: string,
): { body: JsonObject; dropped: string[] } {
  const { body, dropped } = cohereEmbeddings(request);
  return { body: { model, ...body, embedding_types: ['float'] }, dropped };
}

/** The part that Cohere and Bedrock have in common. */
export function cohereEmbeddings(request: JsonObject): { body: JsonObject; dropped: string[] } {
  const { dimensions, truncate } = request;
  const type = inputTypeIn(request);
  const body = {
    texts: embeddingInputs(request),
    input_type: type ?? 'search_document',
    ...(typeof dimensions === 'number' ? { output_dimension: dimensions } : {}),
    ...(typeof truncate === 'string' ? { truncate } : {}),
  };
  const dropped = request.user === undefined || request.user === null ? [] : ['user'];
  // Some of Gemini's tasks, such as similarity, have no counterpart.
  if (request.task_type !== undefined && type === undefined) dropped.push('taskType');
  return { body, dropped };
}

/** Decodes Cohere's answer. @throws ProxyError `malformed` */
export function decodeCohereEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
): JsonObject {
  // Some models on Bedrock return vectors without naming their type.
  const { embeddings } = answer;
  const vectors = Array.isArray(embeddings) ? embeddings : objectOf(embeddings).float;
  if (!Array.isArray(vectors)) {
    throw new ProxyError('malformed', 'Cannot read the answer: it contains no embeddings');
  }
  const meta = isObject(answer.meta) ? answer.meta : {};
  const tokens = tokenCount(objectOf(meta.billed_units).input_tokens) ?? 0;
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return embeddingList(vectors.map(vectorOf), model, format, usage);
}
