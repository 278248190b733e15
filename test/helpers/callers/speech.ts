/** What clients of one protocol send and receive. */
import type { JsonObject } from '../../../src/wire/json.ts';

/** The protocols that clients speak. */
export type Client = 'chat' | 'messages' | 'responses' | 'gemini' | 'ollama';

/** Clients whose protocol has no error code. */
export const CODELESS: ReadonlySet<Client> = new Set(['messages', 'ollama']);

/** Clients that do not learn which targets were tried. */
export const UNTOLD: ReadonlySet<Client> = new Set(['ollama']);

/** An error as the client sees it. */
export interface Told {
  readonly message: string;
  readonly type: string;
  /** `null` in protocols without error codes: {@link CODELESS}. */
  readonly code: string | null;
  readonly details?: readonly { target: string; fault: string | null; status: number | null; ms: number }[];
  readonly request_id?: string;
}

/** A tool call, as far as it was received. */
export interface Call {
  readonly name: string;
  /** JSON text, joined from its pieces. */
  readonly arguments: string;
}

/** An answer, as far as it was received. */
export interface Answer {
  /** Its text, without reasoning. */
  readonly content: string;
  readonly calls: readonly Call[];
  /**
   * The finish reason in the protocol's own terms: `finish_reason`, `stop_reason`, or a response's status and, if it is
   * incomplete, the reason. `null` for an answer that has not ended, or has failed.
   */
  readonly finish: string | null;
  /** Unchanged; that of the Messages protocol is combined from its two places. */
  readonly usage: JsonObject | undefined;
}

/** How clients of a protocol send requests and read answers. */
export interface Speech {
  /** A path with `{model}` in it also says what is requested. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: (model: string, text: string, stream: boolean) => JsonObject;
  /** Whether events have names, which are then their types. */
  readonly named: boolean;
  readonly whole: (body: JsonObject) => Answer;
  readonly streamed: (events: readonly JsonObject[]) => Answer;
  /** Whether the data of an event mark the stream as complete. */
  readonly ends: (data: string, event: JsonObject | undefined) => boolean;
  /** The error in a body or an event. */
  readonly error: (event: JsonObject) => Told | undefined;
}
