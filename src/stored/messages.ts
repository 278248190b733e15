/** What the store and its thread tell each other. */
import type { StoredBackground } from './background.ts';
import type { StoredConversations } from './conversations.ts';
import type { StoredOptions } from './entries.ts';
import type { StoredResponses } from './responses.ts';

/** What can be asked of the store. */
export interface Tables {
  readonly responses: StoredResponses;
  readonly background: StoredBackground;
  readonly conversations: StoredConversations;
}

export type TableName = keyof Tables;

/** A server of Redis' protocol. */
export interface RedisPlace {
  readonly url: string;
  /** The longest that an answer is waited for, milliseconds. */
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
      /** Where the file is; in memory alone when it is not given. */
      readonly directory: string | undefined;
      readonly options: StoredOptions;
      /** Where it is shared with other machines. */
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
  /** It waits for a server, or for what another process may be about to write: the thread does other things meanwhile. */
  | { readonly kind: 'aside'; readonly job: number }
  /** The file cannot be used, and all is kept in memory. */
  | { readonly kind: 'trouble'; readonly reason: string }
  /** The server by which it is shared answers, or no longer does. @see StoredShared */
  | { readonly kind: 'shared'; readonly state: StoredShared; readonly message: string | undefined };

/** How the server is by which responses are shared. */
export interface StoredShared {
  readonly up: boolean;
  /** How often it failed. */
  readonly failures: number;
}
