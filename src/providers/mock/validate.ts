import type { Endpoint } from '../../wire/endpoints.ts';
import { isObject } from '../../wire/json.ts';

/** Checks what the real API would reject with 400. */
export interface Complaint {
  readonly message: string;
  readonly param: string;
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

/** Ranges of numbers, for every endpoint that accepts them. */
const RANGES: readonly (readonly [string, number, number])[] = [
  ['temperature', 0, 2],
  ['top_p', 0, 1],
  ['n', 1, 128],
  ['max_tokens', 1, Infinity],
  ['max_completion_tokens', 1, Infinity],
  ['dimensions', 1, 4096],
];

export function complaint(endpoint: Endpoint, request: unknown): Complaint | undefined {
  if (!isObject(request)) return { message: 'The body must be a JSON object', param: 'body' };
  if (endpoint === 'chat') {
    const { messages } = request;
    if (!Array.isArray(messages) || messages.length === 0) {
      return { message: "'messages' must be a list of at least one message", param: 'messages' };
    }
    const bad = messages.findIndex(
      (message) => !isObject(message) || !ROLES.includes(message.role as string),
    );
    if (bad >= 0)
      return {
        message: `'messages[${bad}].role' must be one of ${ROLES.join(', ')}`,
        param: `messages[${bad}].role`,
      };
  }
  if (endpoint === 'completions' && request.prompt === undefined)
    return { message: "'prompt' is missing", param: 'prompt' };
  if ((endpoint === 'embeddings' || endpoint === 'moderations') && !isInput(request.input)) {
    return { message: "'input' must be a text or a list", param: 'input' };
  }
  for (const [name, min, max] of RANGES) {
    const value = request[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || value < min || value > max) {
      return { message: `'${name}' must be a number from ${min} to ${max}`, param: name };
    }
  }
  return undefined;
}

function isInput(input: unknown): boolean {
  return typeof input === 'string' || (Array.isArray(input) && input.length > 0);
}
