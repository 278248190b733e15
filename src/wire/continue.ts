import type { ChatRequest } from './chat.ts';
import { numberOf } from './json.ts';

/**
 * How a model is given a prefix of its answer to continue: as the last assistant message; the same marked `prefix:
 * true` (Mistral); or with `continue_final_message` (vLLM).
 */
export type PrefillStyle = 'assistant' | 'prefix' | 'continue_final_message';

/**
 * The instruction to a model that does not accept a prefix. It repeats the last words, which are removed again and show
 * whether a space belongs between the parts.
 */
const PLEASE_CONTINUE =
  'Your last message was cut off by a network error. Continue it from exactly where it stops, in the same language ' +
  'and format. Begin by repeating its last few words, so that both parts can be joined, and say nothing about the ' +
  'interruption.';

/** The average number of characters per token in English text. */
const CHARS_PER_TOKEN = 4;

/** The lower bound for what is left of the client's `max_tokens`. */
const MIN_TOKENS = 16;

/** The prefix of an answer in the form that a target accepts: some reject trailing white space. */
export function prefillText(text: string): string {
  return text.trimEnd();
}

/**
 * The request that continues an interrupted answer.
 * @param text what the client has received
 * @param style how the target accepts a prefix of its answer; `undefined` when it does not and must be instructed
 */
export function continueChat(
  request: ChatRequest,
  text: string,
  style: PrefillStyle | undefined,
): ChatRequest {
  const beginning = { role: 'assistant', content: style ? prefillText(text) : text };
  const instruction = style
    ? [{ ...beginning, ...(style === 'prefix' ? { prefix: true } : {}) }]
    : [beginning, { role: 'user', content: PLEASE_CONTINUE }];
  const vllm = { continue_final_message: true, add_generation_prompt: false };
  return {
    ...request,
    ...leftOf(request, text),
    ...(style === 'continue_final_message' ? vllm : {}),
    // The reasoning is already complete, and Anthropic does not accept a prefix together with thinking.
    ...(style ? { reasoning_effort: undefined, thinking: undefined } : {}),
    messages: [...request.messages, ...instruction],
  };
}

/** The client's token limit minus the estimated tokens it has received. */
function leftOf(request: ChatRequest, text: string): Partial<ChatRequest> {
  const left: Partial<ChatRequest> = {};
  for (const name of ['max_tokens', 'max_completion_tokens'] as const) {
    const most = numberOf(request[name]);
    if (most === undefined) continue;
    left[name] = Math.min(most, Math.max(MIN_TOKENS, most - Math.ceil(text.length / CHARS_PER_TOKEN)));
  }
  return left;
}
