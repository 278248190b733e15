/**
 * Function names in the form that a protocol accepts. A rejected name is replaced in the request, and restored in the
 * answer's calls.
 */
import type { ChatChunk, ChatMessage, ChatRequest, ChatResponse } from '../chat.ts';
import type { ProtocolName } from '../protocol.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { nineOf } from '../quirks.ts';

/** The allowed characters and the maximum length of names. */
export interface NameRule {
  readonly first: RegExp;
  readonly rest: RegExp;
  readonly longest: number;
  readonly source: string;
}

const LETTERS = /[A-Za-z0-9_-]/;

export const NAME_RULES: Readonly<Record<ProtocolName, NameRule>> = {
  chat: {
    first: LETTERS,
    rest: LETTERS,
    longest: 64,
    source: 'https://platform.openai.com/docs/api-reference/chat/create',
  },
  responses: {
    first: LETTERS,
    rest: LETTERS,
    longest: 128,
    source: 'https://platform.openai.com/docs/api-reference/responses/create',
  },
  messages: {
    first: LETTERS,
    rest: LETTERS,
    longest: 128,
    source: 'https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use',
  },
  gemini: {
    first: /[A-Za-z_]/,
    rest: /[A-Za-z0-9_.:-]/,
    longest: 128,
    source: 'https://ai.google.dev/api/caching#FunctionDeclaration',
  },
  converse: {
    first: LETTERS,
    rest: LETTERS,
    longest: 64,
    source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html',
  },
  cohere: {
    first: /[A-Za-z_]/,
    rest: /[A-Za-z0-9_-]/,
    longest: 64,
    source: 'https://docs.cohere.com/docs/tool-use-overview',
  },
};

/** The replacement of each rejected name. */
export type Renamed = ReadonlyMap<string, string>;

/** Unique replacements for all names that the protocol rejects. */
export function renamedFor(request: ChatRequest, protocol: ProtocolName): Renamed {
  const names = namesIn(request);
  const renamed = new Map<string, string>();
  const rule = NAME_RULES[protocol];
  const taken = new Set(names);
  for (const name of names) {
    const fitting = fittingName(name, rule);
    if (fitting === name) continue;
    const other = taken.has(fitting) ? `${fitting.slice(0, rule.longest - 10)}_${nineOf(name)}` : fitting;
    taken.add(other);
    renamed.set(name, other);
  }
  return renamed;
}

function fittingName(name: string, { first, rest, longest }: NameRule): string {
  if (name === '') return name;
  const allowed = [...name].map((letter) => (rest.test(letter) ? letter : '_')).join('');
  const begun = first.test(allowed[0]!) ? allowed : `_${allowed}`;
  return begun.length <= longest ? begun : `${begun.slice(0, longest - 10)}_${nineOf(name)}`;
}

function namesIn({ tools, messages }: ChatRequest): Set<string> {
  const names = new Set<string>();
  const add = (each: unknown) => {
    const { name } = objectOf(objectOf(each).function);
    if (typeof name === 'string') names.add(name);
  };
  for (const tool of listOf(tools)) add(tool);
  for (const message of listOf(messages)) for (const call of listOf(objectOf(message).tool_calls)) add(call);
  return names;
}

/** The request with the replacements. */
export function withNames(request: ChatRequest, renamed: Renamed): ChatRequest {
  if (renamed.size === 0) return request;
  const { tools, tool_choice: choice, messages } = request;
  return {
    ...request,
    messages: messages.map((message) => messageWith(message, renamed)),
    ...(Array.isArray(tools) ? { tools: tools.map((tool) => calledBy(tool, renamed)) } : {}),
    ...(isObject(choice) ? { tool_choice: choiceWith(choice, renamed) as ChatRequest['tool_choice'] } : {}),
  };
}

/** A tool or call with the replaced name of its function. */
function calledBy<T>(value: T, renamed: Renamed): T {
  const fn = objectOf(value).function;
  const other = isObject(fn) ? renamed.get(stringOf(fn.name) ?? '') : undefined;
  return other === undefined ? value : { ...value, function: { ...(fn as object), name: other } };
}

function choiceWith(choice: object, renamed: Renamed): object {
  const allowed = objectOf((choice as { allowed_tools?: unknown }).allowed_tools);
  if (!Array.isArray(allowed.tools)) return calledBy(choice, renamed);
  return {
    ...choice,
    allowed_tools: { ...allowed, tools: allowed.tools.map((tool) => calledBy(tool, renamed)) },
  };
}

function messageWith(message: ChatMessage, renamed: Renamed): ChatMessage {
  if (!isObject(message) || !Array.isArray(message.tool_calls)) return message;
  const { parts } = message as ChatMessage;
  const named = { ...message, tool_calls: message.tool_calls.map((call) => calledBy(call, renamed)) };
  if (!Array.isArray(parts)) return named;
  const other = parts.map((part: unknown) =>
    isObject(part) && part.type === 'call' ? { ...part, call: calledBy(part.call, renamed) } : part,
  );
  return { ...named, parts: other };
}

/** Restores the names in the calls of an answer. */
export class OwnNames {
  readonly #own: Renamed;

  constructor(renamed: Renamed) {
    this.#own = new Map([...renamed].map(([name, other]) => [other, name]));
  }

  answer(answer: ChatResponse): ChatResponse {
    if (this.#own.size === 0) return answer;
    const choices = answer.choices.map((choice) => ({
      ...choice,
      message: messageWith(choice.message, this.#own),
    }));
    return { ...answer, choices };
  }

  chunk(chunk: ChatChunk): ChatChunk {
    if (this.#own.size === 0 || !chunk.choices.some(({ delta }) => delta.tool_calls)) return chunk;
    const choices = chunk.choices.map((choice) => {
      const { delta } = choice;
      const calls = delta.tool_calls?.map((call) => calledBy(call, this.#own));
      return calls ? { ...choice, delta: { ...delta, tool_calls: calls } } : choice;
    });
    return { ...chunk, choices };
  }
}
