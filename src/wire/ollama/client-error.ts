import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';

/** By these words clients know that they might pull the model. */
const NOT_FOUND = 'not found';

/** An error in Ollama's shape: its clients read nothing but the words. The log has the rest under the id in the header. */
export function ollamaErrorBody(error: ProxyError): JsonObject {
  const { fault, message } = error;
  const missing = fault === 'unknown_model' || fault === 'not_found';
  return { error: missing && !message.includes(NOT_FOUND) ? `model ${NOT_FOUND}: ${message}` : message };
}

/** An error as the last line of a stream. */
export function ollamaErrorEvent(error: ProxyError): string {
  return `data: ${JSON.stringify(ollamaErrorBody(error))}\n\n`;
}
