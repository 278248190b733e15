import type { ProxyError } from '../errors.ts';
import type { JsonObject } from './json.ts';
import type { Begun } from './protocol.ts';
import type { Usage } from './usage.ts';

/** Folds the events of a client's stream into the object an unstreamed answer would have been. */
export interface Assembler {
  push(event: JsonObject): void;
  /** Takes the usage of an event, and nothing else of it: of one that is kept from the client. */
  count(event: JsonObject): void;
  /** Text, reasoning, a refusal, sound or a tool call was seen. */
  readonly content: boolean;
  /** Finish reason of the first choice, in chat's words, or the provider's own where it has none. */
  readonly finish: string | null;
  /** How many choices were seen. */
  readonly seen: number;
  /** Every choice seen has its finish reason, and there is one. */
  readonly finished: boolean;
  readonly usage: Usage | undefined;
  /** A tool call was seen. */
  readonly called: boolean;
  /** Whether the arguments of a call are, so far, such that no tool can be run with them. */
  readonly brokenCall: boolean;
  /** Whether it ends with calls, by an empty word for why; counts where nothing else says it. */
  readonly endsWithCalls?: boolean;
  result(): JsonObject;
  /** What the client has, when that is one plain text in progress that another model could go on with. */
  begun(): Begun | undefined;
  /** The last events of the stream, which tell of the error. */
  fail(error: ProxyError, requestId: string): string;
  /** One for the rest of the same answer, which knows no more of it than how its stream goes on. */
  fresh(): Assembler;
}
