import type { ChatRequest } from './chat.ts';
import { BytePairs } from './byte-pairs.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { partTokens } from './media-tokens.ts';

/** Tokens around each message, and at the end of a prompt. @see OpenAI's cookbook on counting */
const PER_MESSAGE = 3;
const PER_PROMPT = 3;

type Counted = Pick<ChatRequest, 'messages' | 'tools'>;

/** What is counted in a request. */
export interface Countable {
  readonly texts: readonly string[];
  /** Tokens besides those of the texts. */
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

/** Decodes the tokens that OpenAI's clients send in place of texts to its embedding models. */
export type TokenReader = (tokens: readonly number[]) => string;

/** OpenAI's cl100k vocabulary, used by its embedding models, for decoding. Loading it takes about 200 ms. */
export async function loadTokenReader(): Promise<TokenReader> {
  const { default: bytes } = await import('gpt-tokenizer/bpeRanks/cl100k_base');
  return (tokens) =>
    Buffer.concat(
      tokens.map((token) => {
        const known = bytes[token];
        // Special tokens such as the end of a text are not words.
        return known === undefined ? EMPTY : Buffer.from(known as string & readonly number[]);
      }),
    ).toString();
}

const EMPTY = Buffer.alloc(0);

/** OpenAI's o200k vocabulary, for counting. It is loaded on first use, which takes about 500 ms. */
export async function loadVocabulary(): Promise<BytePairs> {
  const [{ default: tokens }, { O200K_TOKEN_SPLIT_REGEX: pattern }] = await Promise.all([
    import('gpt-tokenizer/bpeRanks/o200k_base'),
    import('gpt-tokenizer/encodingParams/constants'),
  ]);
  return new BytePairs(tokens, pattern);
}

/** Counts the tokens of requests in OpenAI's o200k vocabulary, synchronously. */
export async function tokenCounter(): Promise<(request: Counted) => number> {
  const vocabulary = await loadVocabulary();
  return (request) => {
    const { texts, others } = countable(request);
    return texts.reduce((tokens, text) => tokens + vocabulary.countAll(text), others);
  };
}
