import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { ProxyError } from '../../errors.ts';
import { readingFirst } from '../json-ahead.ts';
import { parseJson, PIECE_BOUNDS } from '../json.ts';

/** The realtime API that a client and a provider use. */
export type RealtimeName = 'openai' | 'gemini';

/** A turn of a session, as a chat message. */
export interface SessionMessage {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly content: string | null;
  readonly tool_calls?: readonly JsonObject[];
  readonly tool_call_id?: string;
}

/** The meaning of a client message for limits and the record. */
export interface ClientEvent {
  /** Whether it causes the model to respond, at once or when the speaker pauses. */
  readonly works: boolean;
  /** Whether it asks for a response of its own: there may be several at once. */
  readonly asks?: boolean;
  /** Whether it is one of many small messages, such as audio: a refusal of these is reported once. */
  readonly minor?: boolean;
  readonly turns?: readonly SessionMessage[];
  /** The session settings that it contains: instructions and tools. */
  readonly session?: JsonObject;
  /**
   * Finds the models that it names: for the session, or for transcribing speech. Throws if there is too much to search,
   * or it is not JSON; omitted if it certainly names none.
   */
  readonly models?: () => readonly string[];
}

/** Parses a message in steps; `undefined` if it is not JSON. */
export function* parseMessage(text: string): Steps<unknown> {
  return yield* readingFirst([text], PIECE_BOUNDS, () => parseJson(text));
}

/** The models of a message that only other parsers may understand. @throws ProxyError `invalid_request` */
export function unreadableModels(): never {
  throw new ProxyError('invalid_request', 'Cannot accept the message: it is not a JSON object');
}

/** The meaning of a provider message for limits and the record. */
export interface ProviderEvent {
  /** The usage since the previous report. */
  readonly usage?: Usage | undefined;
  /** Whether a response begins or has ended. */
  readonly answer?: 'begins' | 'ends' | undefined;
  readonly turns?: readonly SessionMessage[];
  /** A piece of the text of a message, and the role it belongs to. */
  readonly piece?: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
  /** The whole message, if it is an error. */
  readonly error?: JsonObject;
}

/** A realtime API as far as the relay inspects messages. They are passed on unchanged in any case. */
export interface RealtimeProtocol {
  readonly name: RealtimeName;
  /** Whether the provider sends the first message. */
  readonly greets: boolean;
  /** Reads a message of the client, in steps if it is long. */
  clientEvent(text: string): Steps<ClientEvent>;
  /** Reads a message of the provider, in steps if it is long. */
  providerEvent(text: string): Steps<ProviderEvent>;
  /** An error as an event; `undefined` if the API has none, so that the connection is closed with a reason instead. */
  errorEvent(error: { code: string; type: string; message: string }, id: string): string | undefined;
}
