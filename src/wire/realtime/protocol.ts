import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';

/** Whose realtime API a client and a provider speak. */
export type RealtimeName = 'openai' | 'gemini';

/** What was said in a session, as a message of a chat. */
export interface Said {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly content: string | null;
  readonly tool_calls?: readonly JsonObject[];
  readonly tool_call_id?: string;
}

/** What a client's message means for limits and the record. */
export interface Asked {
  /** Whether it makes the model work, at once or when the speaker pauses. */
  readonly works: boolean;
  /** Whether it is one of many that mean little alone, such as a piece of sound: a refusal of these is told once. */
  readonly minor?: boolean;
  readonly said?: readonly Said[];
  /** What the client sets for the session: instructions and tools. */
  readonly session?: JsonObject;
}

/** What a provider's message means for limits and the record. */
export interface Told {
  /** What was used since it was last told. */
  readonly usage?: Usage | undefined;
  /** An answer begins, or has ended. */
  readonly answer?: 'begins' | 'ends' | undefined;
  readonly said?: readonly Said[];
  /** Words of a message that comes in pieces, whose role they go to. */
  readonly piece?: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
  /** The whole message, where it is an error. */
  readonly error?: JsonObject;
}

/** A realtime API as far as the relay reads along. Messages pass as they came, whatever is found in them. */
export interface RealtimeProtocol {
  readonly name: RealtimeName;
  /** Whether the provider speaks first, before the client has said anything. */
  readonly greets: boolean;
  asked(text: string): Asked;
  told(text: string): Told;
  /** An error as one of its events; `undefined` where it has none, and the connection is closed with a reason instead. */
  errorEvent(error: { code: string; type: string; message: string }, id: string): string | undefined;
}
