import type { ChatRequest } from './chat.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';

/** Every message has so many tokens around its text, and a prompt so many at its end. @see OpenAI's cookbook on counting */
const PER_MESSAGE = 3;
const PER_PROMPT = 3;

/** A picture whose size is unknown: what one of 1024 by 1024 pixels costs at OpenAI. */
const PER_IMAGE = 765;

type Counted = Pick<ChatRequest, 'messages' | 'tools'>;

/**
 * The tokens of a request in OpenAI's o200k vocabulary. The vocabulary is loaded when first asked for, which takes
 * some 100 ms.
 */
export async function countTokens(request: Counted): Promise<number> {
  return (await tokenCounter())(request);
}

/** What {@link countTokens} counts with, once it is loaded. */
export async function tokenCounter(): Promise<(request: Counted) => number> {
  const { countTokens: count } = await import('gpt-tokenizer/encoding/o200k_base');
  return (request) => total(request, count);
}

function total({ messages, tools }: Counted, count: (text: string) => number): number {
  let tokens = PER_PROMPT;
  for (const { role, content, name, tool_calls, reasoning_content } of messages) {
    tokens += PER_MESSAGE + count(role) + count(name ?? '') + count(reasoning_content ?? '');
    tokens += typeof content === 'string' ? count(content) : 0;
    for (const part of Array.isArray(content) ? content : []) {
      tokens += part.type === 'image_url' ? PER_IMAGE : count(stringOf(part.text) ?? '');
    }
    for (const call of listOf(tool_calls)) tokens += count(JSON.stringify(objectOf(objectOf(call).function)));
  }
  for (const tool of listOf(tools))
    if (isObject(tool)) tokens += count(JSON.stringify(tool.function ?? tool));
  return tokens;
}
