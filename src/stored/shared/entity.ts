/** The units in which replicas share stored data, and how they are named on the server. */
import type { Owner } from '../entries.ts';

export type Kind = 'response' | 'conversation';

/** A response with its events, or a conversation with its items. */
export interface Entity {
  readonly kind: Kind;
  readonly owner: Owner;
  readonly id: string;
}

/**
 * A part of an entity that can be sent separately: one of its texts, the heartbeat of a running response, or one of its
 * numbered items.
 */
export type Part = 'meta' | 'input' | 'body' | 'beat' | number;

/** The texts of an entity. */
export const TEXTS = ['meta', 'input', 'body'] as const;
export type Text = (typeof TEXTS)[number];

/** The version of an entity on the server, as far as it is known. */
export interface Version {
  /** Changes with every change of the entity. */
  readonly all: string;
  /** Of each text: the version of the entity when the text was last changed. */
  readonly texts: Readonly<Partial<Record<Text, string>>>;
  /** The number of the last item, -1 if there is none, and how many items were removed. */
  readonly last: number;
  readonly removed: number;
}

/** The version of an entity of which nothing is known. */
export const UNKNOWN: Version = { all: '', texts: {}, last: -1, removed: 0 };

/** The parts of an entity that are newer on the server than the known version. */
export interface News {
  readonly version: Version;
  readonly texts: Readonly<Partial<Record<Text, string>>>;
  /** The last heartbeat of a running response by this machine's clock, epoch milliseconds. */
  readonly beatMs: number;
  readonly items: readonly (readonly [number: number, text: string])[];
  /** Whether these are all items, so that others known here no longer exist. */
  readonly isAll: boolean;
}

/**
 * The server's reply about an entity: there is none, its id belongs to another owner, the known version is current, or
 * the newer parts.
 */
export type Pulled =
  | { readonly kind: 'none' | 'foreign' }
  | { readonly kind: 'same'; readonly beatMs: number }
  | { readonly kind: 'news'; readonly news: News };

/** A change of an entity, to be made on the server. */
export interface Push {
  /** The version that the entity must have on the server; otherwise nothing is changed. */
  readonly expected: string;
  readonly version: string;
  /** How long the entity is stored from now on, milliseconds. */
  readonly ttlMs: number;
  readonly texts: readonly (readonly [Text, string])[];
  readonly beats: boolean;
  readonly items: readonly (readonly [number: number, text: string])[];
  readonly removes: readonly number[];
}

export function nameOf({ kind, owner, id }: Entity): string {
  return `${kind}\n${owner}\n${id}`;
}

/**
 * The key of an id on the server: a hash, so that names cannot be read there. All keys of an id are in one slot of a
 * cluster.
 */
export function keyOf({ kind, id }: Pick<Entity, 'kind' | 'id'>): string {
  return `llmproxy:{${hashOf(`${kind}\n${id}`)}}`;
}

export function hashOf(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32);
}
