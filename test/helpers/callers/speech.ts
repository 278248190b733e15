/** What clients of one protocol say and hear. */
import type { JsonObject } from '../../../src/wire/json.ts';

/** The protocols that clients speak. */
export type Client = 'chat' | 'messages' | 'responses' | 'gemini' | 'ollama';

/** Clients that are told no code. */
export const CODELESS: ReadonlySet<Client> = new Set(['messages', 'ollama']);

/** Clients that are not told what was tried. */
export const UNTOLD: ReadonlySet<Client> = new Set(['ollama']);

/** An error as its client knows it. */
export interface Told {
  readonly message: string;
  readonly type: string;
  /** `null` in the protocols that have none: {@link CODELESS}. */
  readonly code: string | null;
  readonly details?: readonly { target: string; fault: string | null; status: number | null; ms: number }[];
  readonly request_id?: string;
}

/** A tool call as far as it was heard. */
export interface Call {
  readonly name: string;
  /** JSON text, in pieces put together. */
  readonly arguments: string;
}

/** An answer as far as it was heard. */
export interface Answer {
  /** Its text, without reasoning. */
  readonly content: string;
  readonly calls: readonly Call[];
  /**
   * Why it ended, in the protocol's own word: `finish_reason`, `stop_reason`, or a response's status and, where it is
   * incomplete, the reason. `null` for an answer that has not ended, or has failed.
   */
  readonly finish: string | null;
  /** As it came; the Messages protocol's is put together from both of its places. */
  readonly usage: JsonObject | undefined;
}

/** How clients of a protocol ask, and how they read what comes. */
export interface Speech {
  /** One that has `{model}` in it says what is asked by itself. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: (model: string, text: string, stream: boolean) => JsonObject;
  /** Whether events have names, which are then their types. */
  readonly named: boolean;
  readonly whole: (body: JsonObject) => Answer;
  readonly streamed: (events: readonly JsonObject[]) => Answer;
  /** Whether the data of an event say that the stream is complete. */
  readonly ends: (data: string, event: JsonObject | undefined) => boolean;
  /** The error that a body or an event tells. */
  readonly error: (event: JsonObject) => Told | undefined;
}
