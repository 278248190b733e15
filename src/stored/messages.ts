/** The messages between the store and its thread. */
import type { StoredBackground } from './background.ts';
import type { StoredConversations } from './conversations.ts';
import type { StoredOptions } from './entries.ts';
import type { StoredResponses } from './responses.ts';

/** The calls of the store. */
export interface Tables {
  readonly responses: StoredResponses;
  readonly background: StoredBackground;
  readonly conversations: StoredConversations;
}

export type TableName = keyof Tables;

/** A server with Redis' protocol. */
export interface RedisPlace {
  readonly url: string;
  /** The timeout of a command, milliseconds. */
  readonly timeoutMs: number;
}

/** The names of an object's methods. */
export type MethodOf<T> = {
  [Name in keyof T]: T[Name] extends (...given: never[]) => unknown ? Name : never;
}[keyof T] &
  string;

export type Given<T, Name extends keyof T> = T[Name] extends (...given: infer A) => unknown ? A : never;
export type Got<T, Name extends keyof T> = T[Name] extends (...given: never[]) => infer R ? R : never;

export type ToStore =
  | {
      readonly kind: 'open';
      /** The directory of the file; in memory if omitted. */
      readonly directory: string | undefined;
      readonly options: StoredOptions;
      /** The server through which it is shared with other machines. */
      readonly redis: RedisPlace | undefined;
    }
  | { readonly kind: 'options'; readonly options: StoredOptions }
  | { readonly kind: 'secrets'; readonly secrets: readonly string[]; readonly keys: readonly string[] }
  | {
      readonly kind: 'call';
      readonly job: number;
      readonly table: TableName;
      readonly name: string;
      readonly given: readonly unknown[];
    }
  | { readonly kind: 'close'; readonly job: number };

export type FromStore =
  | { readonly kind: 'done'; readonly job: number; readonly got: unknown }
  | { readonly kind: 'failed'; readonly job: number; readonly reason: string; readonly isFull: boolean }
  /** It waits for a server, or for a write by another process: the thread does other work meanwhile. */
  | { readonly kind: 'aside'; readonly job: number }
  /** The file cannot be used, and everything is kept in memory. */
  | { readonly kind: 'trouble'; readonly reason: string }
  /** The server that shares responses answers, or no longer does. @see StoredShared */
  | { readonly kind: 'shared'; readonly state: StoredShared; readonly message: string | undefined };

/** The state of the server through which responses are shared. */
export interface StoredShared {
  readonly up: boolean;
  /** The number of failures. */
  readonly failures: number;
}
