/**
 * The interfaces of a protocol. OpenAI's chat (`chat.ts`) is the envelope of the canonical form between protocols, and
 * ordered parts are its content (`parts/part.ts`): a client's protocol is decoded to it and encoded from it, and so is
 * a provider's. Everything here is pure: time, ids and memory are passed in.
 *
 * Besides OpenAI's own fields the canonical form has fields on assistant messages and deltas for what must be sent
 * back: `reasoning_content` (the reasoning as plain text), `thinking_blocks` (signed blocks, see `parts/part.ts`), and
 * `tool_calls[].extra_content.google.thought_signature`; on parts and messages `cache_control`; on tool messages
 * `is_error: true`, and images in their content.
 */
import type { ProxyError } from '../errors.ts';
import type { Events } from './long-events.ts';
import type { ChatChunk, ChatRequest, ChatResponse } from './chat.ts';
import type { JsonObject } from './json.ts';
import type { Lost } from './parts/lost.ts';
import type { Quirks } from './quirks.ts';
import type { StorageState } from './responses/storage-state.ts';
import type { SseEvent } from './sse.ts';
import type { Usage } from './usage.ts';

/** The protocols of providers for chat. */
export type ProtocolName = 'chat' | 'messages' | 'responses' | 'gemini' | 'converse' | 'cohere';

/** The context for encoding a request. */
export interface EncodeContext {
  /** The model's name at the provider. */
  readonly model: string;
  readonly quirks: Quirks;
  /** For answers whose protocol has no time, seconds since the epoch. */
  readonly created: number;
  /** A random id of 24 letters and digits, where a protocol has none. */
  readonly newId: () => string;
  readonly memory: ReplayMemory;
  /** The features that an Anthropic client requests with the header `anthropic-beta`. */
  readonly betas?: string | undefined;
}

/**
 * Stores by id what must be sent back later: what models require together with one of their tool calls, for clients
 * that drop the fields it came in (`extra_content` of the call, or `thinking_blocks` of its message); and items of
 * responses, for clients that refer to them by id.
 */
export interface ReplayMemory {
  get(id: string): JsonObject | undefined;
  set(id: string, value: JsonObject): void;
}

/** Stores nothing. */
export const NO_MEMORY: ReplayMemory = { get: () => undefined, set: () => undefined };

/** A request in a provider's protocol, and readers for the answer. */
export interface Encoded {
  readonly body: JsonObject;
  /** Fields of the request without a counterpart there, by their canonical names. */
  readonly dropped: readonly string[];
  /** Headers that the request needs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Decodes a whole answer. @throws ProxyError `malformed` when it is invalid */
  decode(answer: JsonObject): ChatResponse;
  /** Starts to decode a streamed answer. */
  stream(): ChatReader;
}

/**
 * Decodes a provider's stream, however it is chunked. The resulting chunks begin with the role, have at most one finish
 * reason per choice, after all content of the choice, and end with a chunk without choices that has the usage if it is
 * known. A finish reason that is a fault is emitted at once, without the rest of its event. A provider that ends its
 * stream without a finish reason gets none.
 */
export interface ChatReader {
  /** Decodes one event. Unknown events are ignored. */
  push(event: SseEvent): ChatChunk[];
  /** Called at the end of the body: returns what a complete answer still lacks. */
  end(): ChatChunk[];
  /** Whether every choice has its finish reason, which is held back until the stream ends. */
  readonly finished?: boolean;
  /** Whether the answer is complete. */
  readonly done: boolean;
  /** The error in an event, in a format that `classifyBody` reads. */
  readonly error: JsonObject | undefined;
  /** The number of events that could not be parsed. */
  readonly malformed: number;
  /** The usage known before the end, if the protocol reports it early. */
  readonly usage?: Usage | undefined;
}

/** Splits a body into events. */
export interface Framing {
  /** @throws ProxyError `malformed` */
  push(bytes: Uint8Array): SseEvent[];
  end(): SseEvent[];
}

/** A provider's protocol for chat. */
export interface ProviderProtocol {
  framing(): Framing;
  /** @throws ProxyError `invalid_request` for an invalid request, `unsupported` for what the protocol cannot express */
  encode(request: ChatRequest, context: EncodeContext): Encoded;
}

/** A decoded client request, and encoders for the answer. */
export interface Understood {
  readonly request: ChatRequest;
  /** Fields that the canonical form does not have. */
  readonly dropped: readonly string[];
  /** Encodes a whole answer in the client's protocol. @param lost counts what the protocol cannot express */
  encode(answer: ChatResponse, lost?: Lost): JsonObject;
  /**
   * Starts to encode a streamed answer.
   * @param begun what the client has already received of it
   * @param lost counts what the protocol cannot express
   */
  stream(begun?: Begun, lost?: Lost): ChatWriter;
}

/** An answer of which the client has one unfinished plain text, so that another model can continue it. */
export interface Begun {
  readonly text: string;
  /** The index of the text among the blocks or items. */
  readonly place: number;
  /** For the Responses API, which names and numbers everything. */
  readonly response?: BegunResponse;
}

export interface BegunResponse {
  /** The response as it was announced. */
  readonly announced: JsonObject;
  /** The items before the text. */
  readonly items: readonly JsonObject[];
  /** The id of the item that contains the text. */
  readonly item: string;
  /** The sequence number of the next event. */
  readonly next: number;
}

/** Encodes a stream of canonical chunks in a client's protocol, as complete SSE events. */
export interface ChatWriter {
  push(chunk: ChatChunk): Events;
  /** The answer is complete: its last events and the terminator. */
  end(): Events;
  /** The answer failed: its last events, with the error. */
  fail(error: ProxyError, requestId: string): Events;
}

export interface DecodeContext {
  /** Properties of the request outside its body, in protocols that have them. */
  readonly requested?: {
    readonly model: string;
    readonly stream: boolean;
    /** The id of the response, if responses are stored. */
    readonly storage?: StorageState | undefined;
  };
  /** Milliseconds since the request, for protocols that report durations. */
  readonly elapsedMs?: (() => number) | undefined;
  /** Seconds since the epoch. */
  readonly created: number;
  /** A random id of 24 letters and digits. */
  readonly newId: () => string;
  readonly memory: ReplayMemory;
}

/** A client protocol. */
export interface ClientProtocol {
  /** @throws ProxyError `invalid_request` naming the invalid field */
  decode(body: JsonObject, context: DecodeContext): Understood;
  /** Encodes an error as a body. @param details the attempts that were made */
  errorBody(error: ProxyError, requestId: string, details?: readonly unknown[]): JsonObject;
}
