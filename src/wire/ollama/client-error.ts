import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';

/** The message by which clients recognise that they could pull the model. */
const NOT_FOUND = 'not found';

/**
 * An error in Ollama's format: its clients only read the message. Details are in the log, under the id in the header.
 */
export function ollamaErrorBody(error: ProxyError): JsonObject {
  const { fault, message } = error;
  const missing = fault === 'unknown_model' || fault === 'not_found';
  return { error: missing && !message.includes(NOT_FOUND) ? `model ${NOT_FOUND}: ${message}` : message };
}

/** An error as the last line of a stream. */
export function ollamaErrorEvent(error: ProxyError): string {
  return `data: ${JSON.stringify(ollamaErrorBody(error))}\n\n`;
}
