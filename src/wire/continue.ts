import type { ChatRequest } from './chat.ts';
import { numberOf } from './json.ts';

/**
 * How a model is given the beginning of its answer to go on from: as a last assistant message; the same marked
 * `prefix: true` (Mistral); or with `continue_final_message` (vLLM).
 */
export type PrefillStyle = 'assistant' | 'prefix' | 'continue_final_message';

/**
 * How a model without prefill is asked to go on. The repetition of the last words, which is taken off again,
 * shows whether a space belongs between the parts.
 */
const PLEASE_CONTINUE =
  'Your last message was cut off by a network error. Continue it from exactly where it stops, in the same language ' +
  'and format. Begin by repeating its last few words, so that both parts can be joined, and say nothing about the ' +
  'interruption.';

/** English text has about so many characters a token. */
const CHARS_PER_TOKEN = 4;

/** The least that is left of the client's `max_tokens`. */
const MIN_TOKENS = 16;

/** The beginning of an answer as it may be given to a target: some refuse white space at its end. */
export function prefillText(text: string): string {
  return text.trimEnd();
}

/**
 * The request that continues a cut answer.
 * @param text what the client has of it
 * @param style how the target takes a beginning of its answer; `undefined` when it takes none and must be asked
 */
export function continueChat(
  request: ChatRequest,
  text: string,
  style: PrefillStyle | undefined,
): ChatRequest {
  const beginning = { role: 'assistant', content: style ? prefillText(text) : text };
  const asked = style
    ? [{ ...beginning, ...(style === 'prefix' ? { prefix: true } : {}) }]
    : [beginning, { role: 'user', content: PLEASE_CONTINUE }];
  const vllm = { continue_final_message: true, add_generation_prompt: false };
  return {
    ...request,
    ...leftOf(request, text),
    ...(style === 'continue_final_message' ? vllm : {}),
    // What was thought is behind the answer by now, and Anthropic takes no prefill beside thinking.
    ...(style ? { reasoning_effort: undefined, thinking: undefined } : {}),
    messages: [...request.messages, ...asked],
  };
}

/** The client's limit on tokens less what it has already, estimated. */
function leftOf(request: ChatRequest, text: string): Partial<ChatRequest> {
  const left: Partial<ChatRequest> = {};
  for (const name of ['max_tokens', 'max_completion_tokens'] as const) {
    const most = numberOf(request[name]);
    if (most === undefined) continue;
    left[name] = Math.min(most, Math.max(MIN_TOKENS, most - Math.ceil(text.length / CHARS_PER_TOKEN)));
  }
  return left;
}
