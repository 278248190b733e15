import type { ChatRequest, ChatResponse } from './chat.ts';
import { isObject, listOf, objectOf } from './json.ts';

/** The texts in a request that the provider receives as JSON: arguments of calls, and their results. */
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

/** Where all protocols keep calls in requests and answers, and their arguments. */
const ON_THE_WAY: ReadonlySet<string> = new Set(
  'candidates choices content contents function functionCall functionResponse function_call function_response message messages output parts toolUse tool_calls'.split(
    ' ',
  ),
);
const GIVEN: ReadonlySet<string> = new Set(['args', 'arguments', 'input', 'response']);

/** The arguments of calls that are objects, in any protocol: in chat they are text. */
export function callInputsWithin(body: unknown): object[] {
  const found: object[] = [];
  const left: unknown[] = [body];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (Array.isArray(value)) for (const member of value) left.push(member ?? null);
    if (!isObject(value)) continue;
    for (const [name, member] of Object.entries(value)) {
      if (ON_THE_WAY.has(name)) left.push(member);
      else if (GIVEN.has(name) && isObject(member)) found.push(member);
    }
  }
  return found;
}
