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
  /** What it reads may be written soon by another process: the thread does other things until it looks again. */
  | { readonly kind: 'aside'; readonly job: number }
  /** The file cannot be used, and all is kept in memory. */
  | { readonly kind: 'trouble'; readonly reason: string };
