import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { cohereEmbeddings, decodeCohereEmbeddings } from '../cohere/embeddings.ts';
import { tokenCount } from '../units.ts';
import { embeddingInputs, embeddingList, vectorOf } from '../openai/embeddings.ts';

/**
 * Encodes OpenAI's embeddings as the body for `/model/{model}/invoke` of a Titan or Cohere model.
 * @param model the model's id on Bedrock
 * @throws ProxyError `invalid_request`, or `unsupported` for other models and for several texts at once,
 * which Titan does not accept
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 */
export function encodeBedrockEmbeddings(
  request: JsonObject,
  model: string,
): { body: JsonObject; dropped: string[] } {
  if (model.includes('cohere.')) {
    const { body, dropped } = cohereEmbeddings(request);
    // Version 3 has one size and one type.
    if (!model.includes('embed-v4')) {
      const { output_dimension: size, ...rest } = body;
      return { body: rest, dropped: size === undefined ? dropped : [...dropped, 'dimensions'] };
    }
    return { body: { ...body, embedding_types: ['float'] }, dropped };
  }
  if (!model.includes('titan-embed')) {
    throw new ProxyError('unsupported', `Cannot embed with ${model}: only Titan and Cohere are supported`, {
      param: 'model',
    });
  }
  const [inputText, ...others] = embeddingInputs(request);
  if (others.length > 0) {
    throw new ProxyError('unsupported', 'Cannot embed several texts: Titan accepts one per request', {
      param: 'input',
    });
  }
  const text = { inputText };
  const dropped = request.user === undefined || request.user === null ? [] : ['user'];
  if (request.task_type !== undefined) dropped.push('taskType');
  const { dimensions } = request;
  const first = model.includes('titan-embed-text-v1') || model.includes('titan-embed-g1');
  if (first) {
    return {
      body: text,
      dropped: typeof dimensions === 'number' ? [...dropped, 'dimensions'] : dropped,
    };
  }
  const size = typeof dimensions === 'number' ? { dimensions } : {};
  return { body: { ...text, ...size, normalize: true }, dropped };
}

/**
 * Decodes Titan's or Cohere's answer. Cohere's reports no tokens here: they are in the header
 * `x-amzn-bedrock-input-token-count`.
 * @param inputTokens of that header, if present
 * @throws ProxyError `malformed`
 */
export function decodeBedrockEmbeddings(
  answer: JsonObject,
  model: string,
  format: 'float' | 'base64',
  inputTokens = 0,
): JsonObject {
  if (answer.embeddings !== undefined) {
    const list = decodeCohereEmbeddings(answer, model, format);
    return inputTokens > 0
      ? { ...list, usage: { prompt_tokens: inputTokens, total_tokens: inputTokens } }
      : list;
  }
  if (!Array.isArray(answer.embedding)) {
    throw new ProxyError('malformed', 'Cannot read the answer: it contains no embedding');
  }
  const tokens = tokenCount(answer.inputTextTokenCount) ?? inputTokens;
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return embeddingList([vectorOf(answer.embedding)], model, format, usage);
}
