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
import { goneName, SharedRoom } from './shared-room.ts';
import { touchedBy } from './touched.ts';

export interface SharedDeps {
  readonly clock: Clock;
  readonly link: Link;
  readonly copy: Copy;
  /** Does a call on the tables of the file. */
  readonly call: (table: TableName, name: string, given: readonly unknown[]) => unknown;
  readonly options: () => StoredOptions;
  /** Resolves when the server has been reached, or has taken too long; `undefined` where nothing is waited for. */
  readonly reaching: () => Promise<void> | undefined;
}

/** Another replica changed the same meanwhile: it is done again so often at most. */
const TRIES = 6;

/** Responses before another that are looked at together. */
const AT_ONCE = 64;

/**
 * The stored responses of several replicas. Each call is done on the copy in this machine's file, by the same rules as where nothing is
 * shared: what it is about is fetched before, if the server has something newer, and what it changed is sent afterwards, unless somebody
 * else changed the same meanwhile; then it is done again. While the server is away, the copy alone answers, and what is owed to the
 * server is sent when it is back.
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
          // It may have been deleted by who has it, elsewhere.
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

  /** What was changed before anything was shared is owed. */
  begin(): void {
    for (const { entity } of this.#deps.copy.changes()) this.#owe(entity);
  }

  /** Sends what is owed, to a server that is back. */
  async catchUp(): Promise<void> {
    const { copy } = this.#deps;
    try {
      copy.isNewServer(await this.#room.epoch(crypto.randomUUID()));
      for (const entity of copy.owed())
        await this.#order.run([nameOf(entity)], async () => {
          try {
            await this.#settle(entity);
          } catch (thrown) {
            // The others have more of it than there is room for here.
            if (!(thrown instanceof NoRoom)) throw thrown;
          }
        });
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
    }
  }

  /** Removes here what others have deleted, and what is over from the account. */
  async sweep(): Promise<void> {
    const { copy, link } = this.#deps;
    copy.sweep();
    if (!link.up) return;
    try {
      const { nowMs, gone } = await this.#room.sweep(this.#sweptMs);
      this.#sweptMs = nowMs;
      for (const entity of gone.size > 0 ? copy.all() : [])
        if (gone.has(goneName(entity)) && copy.known(entity)?.owes === '')
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

  /** Fetches what is newer of what a call is about. @returns whether it is another's */
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

  /** Fetches the responses that one goes on from: those that are here already are looked at together. */
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

  /** Takes over what the server has of an entity. @param whole also what should be known already */
  async #pull(entity: Entity, whole = false): Promise<Pulled | undefined> {
    const { copy, link, options, reaching } = this.#deps;
    if (!link.up) await reaching();
    if (!link.up) return undefined;
    if ((copy.known(entity)?.owes ?? '') !== '') await this.#settle(entity);
    const known = copy.known(entity);
    // The server is away again.
    if (known && known.owes !== '') return undefined;
    const version = !whole && known && copy.has(entity) ? known.version : UNKNOWN;
    const pulled = await this.#ask(entity, version);
    if (pulled?.kind === 'news') copy.take(entity, pulled.news, options().maxBytes);
    if (pulled?.kind === 'same') copy.hear(entity, pulled.beatMs);
    // What was never sent is not missed there. Others may have deleted the rest.
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
   * Sends what a call changed. What it added to a conversation goes last, and only if all else went: it would be added twice otherwise.
   * @returns those that somebody else changed meanwhile, and those that were not sent for that
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
        // What goes to make room here stays for the others.
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
      const said = await link.run(
        PUSH_SCRIPT,
        keyOf(entity),
        pushArguments(hashOf(entity.owner), push),
        String,
      );
      if (said === 'conflict') return 'conflict';
      copy.note(entity, { version: versionAfter(known, push), owes: '' });
      // What a response that runs says counts at its end.
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

  /** The server is told later. */
  #owe(entity: Entity): void {
    const { copy } = this.#deps;
    const version = copy.known(entity)?.version ?? UNKNOWN;
    if (copy.has(entity)) copy.note(entity, { version, owes: 'change' });
  }

  /** Tells the server what it is owed of an entity, and what came of it there meanwhile goes with it. */
  async #settle(entity: Entity): Promise<void> {
    const { copy, options } = this.#deps;
    const known = copy.known(entity) ?? { version: UNKNOWN, owes: 'change' };
    if (known.owes === 'removal') return await this.#remove(entity);
    if (!copy.has(entity)) return copy.forget(entity);
    const pulled = await this.#ask(entity, UNKNOWN);
    if (!pulled) return;
    if (pulled.kind !== 'news') {
      // It was there, and was deleted.
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

/** Whether a stored response still ran, by its own words. */
function isRunning(meta: string | undefined): boolean {
  const { status } = JSON.parse(meta ?? '{}') as { status?: string };
  return status === 'queued' || status === 'in_progress';
}

function kindOf(got: unknown): unknown {
  return (got as { kind?: unknown } | null | undefined)?.kind;
}
