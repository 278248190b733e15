import type { Events } from './long-events.ts';
import type { ProxyError } from '../errors.ts';
import type { JsonObject } from './json.ts';
import type { Begun } from './protocol.ts';
import type { Usage } from './usage.ts';

/** Folds the events of a client's stream into the object that an unstreamed answer would have been. */
export interface Assembler {
  push(event: JsonObject): void;
  /** Reads only the usage of an event that is not sent to the client. */
  count(event: JsonObject): void;
  /** Whether text, reasoning, a refusal, audio or a tool call was seen. */
  readonly content: boolean;
  /** The finish reason of the first choice, in chat's words, or the provider's own if chat has none. */
  readonly finish: string | null;
  /** The number of choices seen. */
  readonly seen: number;
  /** Whether there are choices and all of them have a finish reason. */
  readonly finished: boolean;
  readonly usage: Usage | undefined;
  /** Whether a tool call was seen. */
  readonly called: boolean;
  /** Whether the arguments of some call are, so far, invalid, so that no tool can be run with them. */
  readonly brokenCall: boolean;
  /** The arguments of the calls so far, for readers that parse long ones in steps before the end. */
  readonly callTexts?: readonly string[];
  /** Whether an empty finish reason ends an answer with calls; decisive only if nothing else does. */
  readonly endsWithCalls?: boolean;
  result(): JsonObject;
  /** What the client has received, if it is one plain text in progress that another model could continue. */
  begun(): Begun | undefined;
  /** The last events of the stream, which report the error. */
  fail(error: ProxyError, requestId: string): Events;
  /** An assembler for the rest of the same answer, which only knows how its stream continues. */
  fresh(): Assembler;
}
