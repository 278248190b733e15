import type { ErrorAnswer } from './errors.ts';

/**
 * The APIs that the provider offers: OpenAI's chat completions, Anthropic's Messages, OpenAI's Responses, Gemini's API,
 * Ollama's own.
 */
export type Protocol = 'openai' | 'anthropic' | 'responses' | 'gemini' | 'ollama';

/**
 * The parts of one answer in a protocol: events as text with their blank line, bodies as JSON. Events must be taken in
 * the order in which they are sent, since some protocols number them and repeat the content at the end.
 */
export interface Wire {
  /** Events before the first content. */
  readonly opening: string;
  /** An event with some text. */
  readonly piece: (text: string) => string;
  /** The beginning of a call of the tool `weather`, and the beginning of its arguments. */
  readonly toolCall: (args: string) => string;
  /** Signed reasoning, or reasoning that looks signed. */
  readonly thinking: string;
  /**
   * After the last content: finish reason and usage. In some protocols, the terminator contains these: {@link
   * ENDS_AT_ONCE}.
   */
  readonly closing: string;
  /** The end marker of the stream. */
  readonly terminator: string;
  /** An invalid event. */
  readonly malformed: string;
  /** A keep-alive event. */
  readonly pause: string;
  readonly whole: (text: string) => string;
  readonly errorBody: (error: ErrorAnswer) => string;
  readonly errorEvent: (error: ErrorAnswer) => string;
}

/** Protocols whose streams have finish reason, usage and end marker in one event. */
export const ENDS_AT_ONCE: ReadonlySet<Protocol> = new Set(['responses', 'gemini', 'ollama']);

export interface WireOptions {
  readonly id: string;
  readonly model: string;
  /** Whether a stream ends with its usage. In other protocols it always does. */
  readonly usage: boolean;
}

/** The tokens that every complete answer reports. */
export const USAGE = { input: 10, output: 20 } as const;

/** An event whose data is not valid JSON. */
export const MALFORMED = 'data: {"choices":[{"delta":\n\n';
