import type { ChatRequest, ChatResponse } from './chat.ts';
import { listOf, objectOf } from './json.ts';

/** The texts in a request that a provider is given as JSON: arguments of calls, and their results. */
export function jsonWithinRequest({ messages }: ChatRequest): string[] {
  return listOf(messages).flatMap((message) => {
    const { role, content } = objectOf(message);
    const result = role === 'tool' && typeof content === 'string' && /^\s*[[{]/.test(content);
    return result ? [content] : argumentsOf(message);
  });
}

/** The arguments of the calls in an answer. */
export function jsonWithinAnswer({ choices }: Pick<ChatResponse, 'choices'>): string[] {
  return listOf(choices).flatMap((choice) => argumentsOf(objectOf(choice).message));
}

function argumentsOf(message: unknown): string[] {
  return listOf(objectOf(message).tool_calls).flatMap((call) => {
    const text = objectOf(objectOf(call).function).arguments;
    return typeof text === 'string' ? [text] : [];
  });
}
