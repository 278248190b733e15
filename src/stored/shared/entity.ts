/** What is stored, piece by piece, as replicas share it. */
import type { Owner } from '../entries.ts';

export type Kind = 'response' | 'conversation';

/** A response with its events, or a conversation with its items. */
export interface Entity {
  readonly kind: Kind;
  readonly owner: Owner;
  readonly id: string;
}

/** A part of an entity that is sent alone: one of its texts, when somebody last said that it runs, or one of its numbered items. */
export type Part = 'meta' | 'input' | 'body' | 'beat' | number;

/** The texts of an entity. */
export const TEXTS = ['meta', 'input', 'body'] as const;
export type Text = (typeof TEXTS)[number];

/** What is known of an entity as the server has it. */
export interface Version {
  /** Of all of it. */
  readonly all: string;
  /** Of each text. */
  readonly texts: Readonly<Partial<Record<Text, string>>>;
  /** The number of the last item, -1 for none, and how many were removed. */
  readonly last: number;
  readonly removed: number;
}

/** Nothing is known of it. */
export const UNKNOWN: Version = { all: '', texts: {}, last: -1, removed: 0 };

/** What the server has of an entity that was not known. */
export interface News {
  readonly version: Version;
  readonly texts: Readonly<Partial<Record<Text, string>>>;
  /** When somebody last said that it runs, by this machine's clock; epoch milliseconds. */
  readonly beatMs: number;
  readonly items: readonly (readonly [number: number, text: string])[];
  /** Whether these are all of its items, and none of those that were known is left. */
  readonly isAll: boolean;
}

/** What the server says of an entity: that there is none, that it is another's, that nothing is new, or what is. */
export type Pulled =
  | { readonly kind: 'none' | 'foreign' }
  | { readonly kind: 'same'; readonly beatMs: number }
  | { readonly kind: 'news'; readonly news: News };

/** What the server is told of an entity. */
export interface Push {
  /** The version that it is to have: otherwise nothing is changed. */
  readonly expected: string;
  readonly version: string;
  /** How long it is stored from now on, milliseconds. */
  readonly ttlMs: number;
  readonly texts: readonly (readonly [Text, string])[];
  readonly beats: boolean;
  readonly items: readonly (readonly [number: number, text: string])[];
  readonly removes: readonly number[];
}

export function nameOf({ kind, owner, id }: Entity): string {
  return `${kind}\n${owner}\n${id}`;
}

/** Names and ids are nobody's to read on the server; one id is one slot of a cluster. */
export function keyOf({ kind, id }: Pick<Entity, 'kind' | 'id'>): string {
  return `llmproxy:{${hashOf(`${kind}\n${id}`)}}`;
}

export function hashOf(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32);
}
