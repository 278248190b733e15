import type { ChatRequest } from './chat.ts';
import { BytePairs } from './byte-pairs.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { partTokens } from './media-tokens.ts';

/** Every message has so many tokens around its text, and a prompt so many at its end. @see OpenAI's cookbook on counting */
const PER_MESSAGE = 3;
const PER_PROMPT = 3;

type Counted = Pick<ChatRequest, 'messages' | 'tools'>;

/** What is counted of a request. */
export interface Countable {
  readonly texts: readonly string[];
  /** Tokens beside those of the texts. */
  readonly others: number;
}

export function countable({ messages, tools }: Counted): Countable {
  const texts: string[] = [];
  let others = PER_PROMPT;
  for (const { role, content, name, tool_calls, reasoning_content } of messages) {
    others += PER_MESSAGE;
    texts.push(role, name ?? '', reasoning_content ?? '', typeof content === 'string' ? content : '');
    for (const part of Array.isArray(content) ? content : []) {
      const tokens = partTokens(part);
      if (tokens === undefined) texts.push(stringOf(part.text) ?? '');
      else others += tokens;
    }
    for (const call of listOf(tool_calls)) texts.push(JSON.stringify(objectOf(objectOf(call).function)));
  }
  for (const tool of listOf(tools)) if (isObject(tool)) texts.push(JSON.stringify(tool.function ?? tool));
  return { texts: texts.filter((text) => text !== ''), others };
}

/** Makes texts of the tokens that OpenAI's clients send in place of them to its models of embeddings. */
export type TokenReader = (tokens: readonly number[]) => string;

/** OpenAI's cl100k vocabulary, which its models of embeddings have, to read with. It takes some 200 ms to load. */
export async function loadTokenReader(): Promise<TokenReader> {
  const { default: bytes } = await import('gpt-tokenizer/bpeRanks/cl100k_base');
  return (tokens) =>
    Buffer.concat(
      tokens.map((token) => {
        const known = bytes[token];
        // Marks such as the end of a text are no words.
        return known === undefined ? EMPTY : Buffer.from(known as string & readonly number[]);
      }),
    ).toString();
}

const EMPTY = Buffer.alloc(0);

/** OpenAI's o200k vocabulary, ready to count with. It is loaded when first asked for, which takes some 500 ms. */
export async function loadVocabulary(): Promise<BytePairs> {
  const [{ default: tokens }, { O200K_TOKEN_SPLIT_REGEX: pattern }] = await Promise.all([
    import('gpt-tokenizer/bpeRanks/o200k_base'),
    import('gpt-tokenizer/encodingParams/constants'),
  ]);
  return new BytePairs(tokens, pattern);
}

/** Counts the tokens of requests in OpenAI's o200k vocabulary, each at once. */
export async function tokenCounter(): Promise<(request: Counted) => number> {
  const vocabulary = await loadVocabulary();
  return (request) => {
    const { texts, others } = countable(request);
    return texts.reduce((tokens, text) => tokens + vocabulary.countAll(text), others);
  };
}
