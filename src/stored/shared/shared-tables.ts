import type { Clock } from '../../clock.ts';
import type { Link } from '../../redis/link.ts';
import type { StoredOptions } from '../entries.ts';
import type { TableName } from '../messages.ts';
import type { Change, Known } from './copy.ts';
import type { Entity, Part, Pulled, Push, Text } from './entity.ts';
import type { Touched } from './touched.ts';
import { LinkDown } from '../../redis/link.ts';
import { NoRoom } from '../room.ts';
import type { Copy } from './copy.ts';
import { hashOf, keyOf, nameOf, TEXTS, UNKNOWN } from './entity.ts';
import { Order } from './order.ts';
import {
  pullArguments,
  pulledOf,
  PULL_SCRIPT,
  pushArguments,
  PUSH_SCRIPT,
  REMOVE_SCRIPT,
  versionAfter,
} from './scripts.ts';
import { deletionName, SharedRoom } from './shared-room.ts';
import { touchedBy } from './touched.ts';

export interface SharedDeps {
  readonly clock: Clock;
  readonly link: Link;
  readonly copy: Copy;
  /** Makes a call on the tables of the file. */
  readonly call: (table: TableName, name: string, given: readonly unknown[]) => unknown;
  readonly options: () => StoredOptions;
  /** Resolves when an attempt to connect has ended or takes too long; `undefined` if there is none to wait for. */
  readonly reaching: () => Promise<void> | undefined;
}

/** How often a call is made if other replicas change the same entity at the same time. */
const TRIES = 6;

/** How many earlier responses are checked at once. */
const AT_ONCE = 64;

/**
 * The stored responses of several replicas. Each call is made on the copies in this machine's file, with the same code
 * as if nothing were shared. Before, newer versions of its entities are fetched from the server; afterwards, its
 * changes are sent. If another replica has changed the same entity meanwhile, the call is repeated with the newer
 * version. While the server is unavailable, calls are made on the copies alone, and changes are sent when it is back.
 */
export class SharedTables {
  readonly #deps: SharedDeps;
  readonly #order = new Order();
  readonly #room: SharedRoom;
  #sweptMs = 0;
  #versions = 0;
  readonly #me = crypto.randomUUID().slice(0, 8);

  constructor(deps: SharedDeps) {
    this.#deps = deps;
    this.#room = new SharedRoom(deps.link);
  }

  /** @throws what the call throws */
  async call(table: TableName, name: string, given: readonly unknown[]): Promise<unknown> {
    const touched = touchedBy(table, name, given);
    return await this.#order.run(touched.entities.map(nameOf), async () => {
      const { copy } = this.#deps;
      const isForeign = touched.entities.length > 0 && (await this.#fetch(touched));
      for (let tries = 1; ; tries += 1) {
        let got = this.#do(table, name, given);
        if (kindOf(got) === 'foreign') {
          // Its owner may have deleted it on another replica.
          await Promise.all(copy.sameIds(touched.entities[0]!).map((entity) => this.#pull(entity)));
          got = this.#do(table, name, given);
        }
        const conflicts = await this.#send(copy.changes(), touched.removes === true);
        if (conflicts.length === 0 || tries >= TRIES) {
          for (const entity of conflicts) this.#owe(entity);
          return isForeign && kindOf(got) === 'missing' ? { kind: 'foreign' } : got;
        }
        await Promise.all(conflicts.map((entity) => this.#pull(entity, true)));
      }
    });
  }

  /** Marks the changes made so far, which were not sent. */
  begin(): void {
    for (const { entity } of this.#deps.copy.changes()) this.#owe(entity);
  }

  /** Sends what could not be sent before. */
  async catchUp(): Promise<void> {
    const { copy } = this.#deps;
    try {
      copy.isNewServer(await this.#room.epoch(crypto.randomUUID()));
      for (const entity of copy.owed())
        await this.#order.run([nameOf(entity)], async () => {
          try {
            await this.#settle(entity);
          } catch (thrown) {
            // The server's version is too large for this file.
            if (!(thrown instanceof NoRoom)) throw thrown;
          }
        });
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
    }
  }

  /** Deletes copies of what was deleted on other replicas, and expired entities from the account. */
  async sweep(): Promise<void> {
    const { copy, link } = this.#deps;
    copy.sweep();
    if (!link.up) return;
    try {
      const { nowMs, gone } = await this.#room.sweep(this.#sweptMs);
      this.#sweptMs = nowMs;
      for (const entity of gone.size > 0 ? copy.all() : [])
        if (gone.has(deletionName(entity)) && copy.known(entity)?.owes === '')
          await this.#order.run([nameOf(entity)], async () => void (await this.#pull(entity)));
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
    }
  }

  #do(table: TableName, name: string, given: readonly unknown[]): unknown {
    const { call, copy } = this.#deps;
    try {
      return call(table, name, given);
    } catch (thrown) {
      copy.changes();
      throw thrown;
    }
  }

  /** Fetches newer versions of the entities of a call. @returns whether the id belongs to another owner only */
  async #fetch(touched: Touched): Promise<boolean> {
    const { entities, isOwn = false } = touched;
    const missing = isOwn ? entities.filter((entity) => !this.#deps.copy.has(entity)) : entities;
    const found = await Promise.all(missing.map((entity) => this.#pull(entity)));
    const [entity] = entities;
    if (touched.with === 'previous') await this.#fetchBefore(entity!);
    if (touched.with === 'conversation') {
      const of = this.#deps.copy.linksOf(entity!.owner, entity!.id)?.conversation;
      if (of) await this.#pull({ kind: 'conversation', owner: entity!.owner, id: of });
    }
    return found[0]?.kind === 'foreign';
  }

  /** Fetches all earlier responses of a response. Those with a copy here are checked together. */
  async #fetchBefore({ owner, id }: Entity): Promise<void> {
    const { copy, options } = this.#deps;
    const seen = new Set([id]);
    let length = 0;
    for (let next = copy.linksOf(owner, id)?.previous; next && length <= options().maxChain;) {
      const chain: string[] = [];
      for (let at: string | null | undefined = next; at && !seen.has(at) && chain.length < AT_ONCE;) {
        seen.add(at);
        chain.push(at);
        at = copy.linksOf(owner, at)?.previous;
      }
      if (chain.length === 0) return;
      const entities = chain.map((each): Entity => ({ kind: 'response', owner, id: each }));
      await Promise.all(entities.map((each) => this.#pull(each)));
      for (const each of entities) length += copy.extent(each)?.bytes ?? 0;
      next = copy.linksOf(owner, chain.at(-1)!)?.previous;
    }
  }

  /** Fetches the newer parts of an entity. @param whole fetches all of it */
  async #pull(entity: Entity, whole = false): Promise<Pulled | undefined> {
    const { copy, link, options, reaching } = this.#deps;
    if (!link.up) await reaching();
    if (!link.up) return undefined;
    if ((copy.known(entity)?.owes ?? '') !== '') await this.#settle(entity);
    const known = copy.known(entity);
    // The server is unavailable again.
    if (known && known.owes !== '') return undefined;
    const version = !whole && known && copy.has(entity) ? known.version : UNKNOWN;
    const pulled = await this.#ask(entity, version);
    if (pulled?.kind === 'news') copy.take(entity, pulled.news, options().maxBytes);
    if (pulled?.kind === 'same') copy.hear(entity, pulled.beatMs);
    // An entity that was sent and no longer exists there was deleted or has expired.
    const isGone = pulled?.kind === 'none' || pulled?.kind === 'foreign';
    if (isGone && known && known.version.all !== '') copy.drop(entity);
    return pulled;
  }

  async #ask(entity: Entity, version: Known['version']): Promise<Pulled | undefined> {
    const { link, clock } = this.#deps;
    try {
      const args = pullArguments(hashOf(entity.owner), version);
      return await link.run(PULL_SCRIPT, keyOf(entity), args, (answer) =>
        pulledOf(answer, version, clock.now()),
      );
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
      return undefined;
    }
  }

  /**
   * Sends the changes of a call. Conversations are sent last, and only if everything else was accepted: a repeated call
   * would append their items twice otherwise.
   * @returns entities that another replica has changed, and those that were not sent because of that
   */
  async #send(changes: readonly Change[], removes: boolean): Promise<Entity[]> {
    const { conversation = [], response = [] } = Object.groupBy(changes, ({ entity }) => entity.kind);
    const conflicts = await this.#sendAll(response, removes);
    if (conflicts.length > 0) return [...conflicts, ...conversation.map(({ entity }) => entity)];
    return await this.#sendAll(conversation, removes);
  }

  async #sendAll(changes: readonly Change[], removes: boolean): Promise<Entity[]> {
    const { copy } = this.#deps;
    const conflicts = await Promise.all(
      changes.map(async ({ entity, parts }) => {
        if (copy.has(entity)) return (await this.#push(entity, parts)) === 'conflict' ? [entity] : [];
        // What was deleted to make room in this file stays on the server.
        if (removes) await this.#remove(entity);
        return [];
      }),
    );
    return conflicts.flat();
  }

  async #push(
    entity: Entity,
    parts: ReadonlySet<Part>,
    known: Known['version'] = this.#deps.copy.known(entity)?.version ?? UNKNOWN,
  ): Promise<'done' | 'conflict' | 'owed'> {
    const { copy, link, clock, options } = this.#deps;
    const extent = copy.extent(entity);
    if (!extent) return 'done';
    const ttlMs = Math.max(1, extent.untilMs - clock.now());
    const push = this.#pushOf(entity, parts, known.all, ttlMs);
    try {
      const result = await link.run(
        PUSH_SCRIPT,
        keyOf(entity),
        pushArguments(hashOf(entity.owner), push),
        String,
      );
      if (result === 'conflict') return 'conflict';
      copy.note(entity, { version: versionAfter(known, push), owes: '' });
      // The events of a running response are entered when it ends.
      if (entity.kind === 'response' && !parts.has('meta')) return 'done';
      const evicted = await this.#room.put(entity, extent, ttlMs, options().maxBytes);
      await Promise.all(
        evicted.map(async ({ key, owner }) => await link.run(REMOVE_SCRIPT, key, [owner], Number)),
      );
      return 'done';
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
      this.#owe(entity);
      return 'owed';
    }
  }

  #pushOf(entity: Entity, parts: ReadonlySet<Part>, expected: string, ttlMs: number): Push {
    const { copy } = this.#deps;
    const texts: [Text, string][] = [];
    const items: [number, string][] = [];
    const removes: number[] = [];
    for (const text of TEXTS) {
      const value = parts.has(text) ? copy.text(entity, text) : undefined;
      if (value !== undefined) texts.push([text, value]);
    }
    for (const part of parts) {
      if (typeof part !== 'number') continue;
      const item = copy.item(entity, part);
      if (item === undefined) removes.push(part);
      else items.push([part, item]);
    }
    const version = `${this.#me}-${(this.#versions += 1)}`;
    return { expected, version, ttlMs, texts, beats: parts.has('beat'), items, removes };
  }

  async #remove(entity: Entity): Promise<void> {
    const { copy, link } = this.#deps;
    try {
      await link.run(REMOVE_SCRIPT, keyOf(entity), [hashOf(entity.owner)], Number);
      await this.#room.delete(entity);
      copy.forget(entity);
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
      copy.note(entity, { version: UNKNOWN, owes: 'removal' });
    }
  }

  /** Marks a change that has to be sent later. */
  #owe(entity: Entity): void {
    const { copy } = this.#deps;
    const version = copy.known(entity)?.version ?? UNKNOWN;
    if (copy.has(entity)) copy.note(entity, { version, owes: 'change' });
  }

  /** Sends a change that could not be sent before, and merges it with what has changed on the server since. */
  async #settle(entity: Entity): Promise<void> {
    const { copy, options } = this.#deps;
    const known = copy.known(entity) ?? { version: UNKNOWN, owes: 'change' };
    if (known.owes === 'removal') return await this.#remove(entity);
    if (!copy.has(entity)) return copy.forget(entity);
    const pulled = await this.#ask(entity, UNKNOWN);
    if (!pulled) return;
    if (pulled.kind !== 'news') {
      // It was sent before, and deleted since.
      if (known.version.all !== '') return copy.drop(entity);
      return void (await this.#push(entity, this.#all(entity), UNKNOWN));
    }
    const { news } = pulled;
    const isOwn = news.version.all === known.version.all;
    if (isOwn || (entity.kind === 'response' && isRunning(news.texts.meta) && !copy.isRunning(entity)))
      return void (await this.#push(entity, this.#all(entity), news.version));
    const there = new Set(news.items.map(([, text]) => text));
    const more =
      entity.kind === 'conversation'
        ? copy
            .numbers(entity)
            .map((number) => copy.item(entity, number)!)
            .filter((text) => !there.has(text))
        : [];
    copy.take(entity, news, options().maxBytes);
    if (more.length === 0) return;
    copy.append(entity, more);
    await this.#send(copy.changes(), false);
  }

  /** All parts of an entity. */
  #all(entity: Entity): ReadonlySet<Part> {
    return new Set<Part>([...TEXTS, 'beat', ...this.#deps.copy.numbers(entity)]);
  }
}

/** Whether a response is running according to its metadata. */
function isRunning(meta: string | undefined): boolean {
  const { status } = JSON.parse(meta ?? '{}') as { status?: string };
  return status === 'queued' || status === 'in_progress';
}

function kindOf(got: unknown): unknown {
  return (got as { kind?: unknown } | null | undefined)?.kind;
}
