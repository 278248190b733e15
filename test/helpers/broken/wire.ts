import type { ErrorAnswer } from './errors.ts';

/** How a provider is asked: OpenAI's chat completions, Anthropic's Messages, OpenAI's Responses, Gemini's API or Ollama's own. */
export type Protocol = 'openai' | 'anthropic' | 'responses' | 'gemini' | 'ollama';

/**
 * What a protocol says in one answer: events as text with their blank line, bodies as JSON. Events are to be taken in the
 * order in which they are sent, since some protocols number them and tell in the end what was said.
 */
export interface Wire {
  /** Before the first content. */
  readonly opening: string;
  /** Some text. */
  readonly piece: (text: string) => string;
  /** The beginning of a call of the tool `weather`, and its arguments as far as given. */
  readonly toolCall: (args: string) => string;
  /** Reasoning that is signed, or that looks as if it were. */
  readonly thinking: string;
  /** After the last content: why it ended, and what it used. Some protocols tell these by their terminator: {@link ENDS_AT_ONCE}. */
  readonly closing: string;
  /** What marks the end of the stream. */
  readonly terminator: string;
  /** An event that is none. */
  readonly malformed: string;
  /** Says that the provider is still there. */
  readonly pause: string;
  readonly whole: (text: string) => string;
  readonly errorBody: (error: ErrorAnswer) => string;
  readonly errorEvent: (error: ErrorAnswer) => string;
}

/** Protocols whose streams say in one event why they ended, what was used, and that nothing follows. */
export const ENDS_AT_ONCE: ReadonlySet<Protocol> = new Set(['responses', 'gemini', 'ollama']);

export interface WireOptions {
  readonly id: string;
  readonly model: string;
  /** Whether a stream ends with its usage. The others always do. */
  readonly usage: boolean;
}

/** Tokens that every complete answer claims to have used. */
export const USAGE = { input: 10, output: 20 } as const;

/** An event whose data are no JSON. */
export const MALFORMED = 'data: {"choices":[{"delta":\n\n';
