/**
 * What a protocol is to this project. OpenAI's chat (`chat.ts`) is the envelope of the canonical form between protocols,
 * and ordered parts are what is said in it (`parts/part.ts`): a client's protocol is read into it and written from it, a
 * provider's is encoded from it and read into it. Everything here is pure: time, ids and memory are passed in.
 *
 * Beside OpenAI's own fields the canonical form carries, on assistant messages and deltas, what must be given back:
 * `reasoning_content` (plain text of the reasoning), `thinking_blocks` (seals, see `parts/part.ts`), and
 * `tool_calls[].extra_content.google.thought_signature`; on parts and messages `cache_control`; on tool messages
 * `is_error: true`, and pictures among their content.
 */
import type { ProxyError } from '../errors.ts';
import type { ChatChunk, ChatRequest, ChatResponse } from './chat.ts';
import type { JsonObject } from './json.ts';
import type { Lost } from './parts/lost.ts';
import type { Quirks } from './quirks.ts';
import type { Standing } from './responses/standing.ts';
import type { SseEvent } from './sse.ts';
import type { Usage } from './usage.ts';

/** How providers are asked for a chat. */
export type ProtocolName = 'chat' | 'messages' | 'responses' | 'gemini' | 'converse' | 'cohere';

/** What a request is encoded with. */
export interface EncodeContext {
  /** The model's name at the provider. */
  readonly model: string;
  readonly quirks: Quirks;
  /** For answers whose protocol tells no time, seconds since the epoch. */
  readonly created: number;
  /** A random id of 24 letters and digits, where a protocol gives none. */
  readonly newId: () => string;
  readonly memory: ReplayMemory;
  /** What a client of Anthropic's asks for by the header `anthropic-beta`. */
  readonly betas?: string | undefined;
}

/**
 * What is to be given back later, by an id. What models want back with a tool call of theirs, for clients that drop
 * the fields it came in: `extra_content` of the call, or `thinking_blocks` of its message. And items of responses, for
 * clients that refer to them by their ids.
 */
export interface ReplayMemory {
  get(id: string): JsonObject | undefined;
  set(id: string, value: JsonObject): void;
}

/** Remembers nothing. */
export const NO_MEMORY: ReplayMemory = { get: () => undefined, set: () => undefined };

/** A request in a provider's protocol, and how to read what comes back. */
export interface Encoded {
  readonly body: JsonObject;
  /** Fields of the request that have no counterpart there, by their canonical names. */
  readonly dropped: readonly string[];
  /** Headers that the request needs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A whole answer. @throws ProxyError `malformed` when it is none */
  decode(answer: JsonObject): ChatResponse;
  /** Begins to read a streamed answer. */
  stream(): ChatReader;
}

/**
 * Reads a provider's stream, however it is cut. The chunks that it gives begin with the role, carry at most one finish
 * reason a choice, behind all that the choice says, and end with one of no choices that has the usage, where it is
 * known. A finish reason that is a fault comes at once, and then nothing else of its event. A provider that ends its
 * stream without a word of why is not given one.
 */
export interface ChatReader {
  /** One event. Unknown events mean nothing. */
  push(event: SseEvent): ChatChunk[];
  /** The body ended: what a finished answer still lacks. */
  end(): ChatChunk[];
  /** Every choice has its finish reason, which is held back until the stream ends. */
  readonly finished?: boolean;
  /** Nothing of the answer is still to come. */
  readonly done: boolean;
  /** An error event, in a shape that `classifyBody` reads. */
  readonly error: JsonObject | undefined;
  /** Events that could not be read. */
  readonly malformed: number;
  /** The usage as far as it is known before the end, where the protocol tells it early. */
  readonly usage?: Usage | undefined;
}

/** Cuts a body into events. */
export interface Framing {
  /** @throws ProxyError `malformed` */
  push(bytes: Uint8Array): SseEvent[];
  end(): SseEvent[];
}

/** How a provider's protocol says a chat. */
export interface ProviderProtocol {
  framing(): Framing;
  /** @throws ProxyError `invalid_request` for what is no request, `unsupported` for what cannot be said there */
  encode(request: ChatRequest, context: EncodeContext): Encoded;
}

/** A client's request, understood, and how it is answered. */
export interface Understood {
  readonly request: ChatRequest;
  /** Fields that the canonical form has no place for. */
  readonly dropped: readonly string[];
  /** The whole answer in the client's protocol. @param lost counts what that has no word for */
  encode(answer: ChatResponse, lost?: Lost): JsonObject;
  /**
   * Begins to write a streamed answer.
   * @param begun what the client has of it already
   * @param lost counts what its protocol has no word for
   */
  stream(begun?: Begun, lost?: Lost): ChatWriter;
}

/** An answer of which the client has one plain text, unfinished: another writer can go on with it. */
export interface Begun {
  readonly text: string;
  /** Where the text stands among the blocks or items. */
  readonly place: number;
  /** Of a response, which names and numbers what it says. */
  readonly response?: BegunResponse;
}

export interface BegunResponse {
  /** As it was announced. */
  readonly announced: JsonObject;
  /** The items before the text. */
  readonly items: readonly JsonObject[];
  /** Id of the item that the text is in. */
  readonly item: string;
  /** The number of its next event. */
  readonly next: number;
}

/** Writes a stream of canonical chunks in a client's protocol, as text of whole SSE events. */
export interface ChatWriter {
  push(chunk: ChatChunk): string;
  /** The answer is complete: its last events and the terminator. */
  end(): string;
  /** The answer failed: its last events, which say so. */
  fail(error: ProxyError, requestId: string): string;
}

export interface DecodeContext {
  /** What is said of the request outside of its body, in protocols that say it there. */
  readonly asked?: {
    readonly model: string;
    readonly stream: boolean;
    /** Of a response, where responses are stored. */
    readonly standing?: Standing | undefined;
  };
  /** Milliseconds since the answer was asked for, for protocols that tell how long it took. */
  readonly elapsedMs?: (() => number) | undefined;
  /** Seconds since the epoch. */
  readonly created: number;
  /** A random id of 24 letters and digits. */
  readonly newId: () => string;
  readonly memory: ReplayMemory;
}

/** How clients of a protocol are understood and answered. */
export interface ClientProtocol {
  /** @throws ProxyError `invalid_request` naming the field at fault */
  decode(body: JsonObject, context: DecodeContext): Understood;
  /** An error as a body. @param details the attempts that were made */
  errorBody(error: ProxyError, requestId: string, details?: readonly unknown[]): JsonObject;
}
