import type { Answer, Link, Script } from '../../redis/link.ts';
import type { Entity, Kind } from './entity.ts';
import type { Extent } from './copy.ts';
import { scriptOf } from '../../redis/link.ts';
import { isOthersTurn } from '../room.ts';
import { hashOf, keyOf } from './entity.ts';

/** The account of what is stored by whom. All of its keys are in one slot of a cluster. */
const KEY = 'llmproxy:{stored}';

/** How many expired entities a sweep removes from the account at most. */
const SWEPT = 1_000;

/** How long deletions are remembered, so that all replicas delete their copies, milliseconds. */
const GONE_MS = 86_400_000;

/**
 * The account contains the bytes of each owner, and the size, age and end of each entity. Entities are named by the
 * hash of their owner and their key, so that they can be deleted without knowing more.
 */
const ROOM = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key = KEYS[1]
local function take(owner, name)
  local bytes = tonumber(redis.call('HGET', key .. ':sizes', owner .. ' ' .. name) or 0)
  redis.call('HDEL', key .. ':sizes', owner .. ' ' .. name)
  redis.call('ZREM', key .. ':ages:' .. owner, name)
  redis.call('ZREM', key .. ':ends', owner .. ' ' .. name)
  if bytes > 0 then
    redis.call('INCRBY', key .. ':bytes', string.format('%.0f', -bytes))
    if tonumber(redis.call('ZINCRBY', key .. ':owners', -bytes, owner)) <= 0 then redis.call('ZREM', key .. ':owners', owner) end
  end
end
local does, owner, name = ARGV[1], ARGV[2], ARGV[3]
if does == 'put' then
  local bytes = tonumber(ARGV[4])
  take(owner, name)
  redis.call('HSET', key .. ':sizes', owner .. ' ' .. name, bytes)
  redis.call('ZADD', key .. ':ages:' .. owner, ARGV[5], name)
  redis.call('ZADD', key .. ':ends', now + tonumber(ARGV[6]), owner .. ' ' .. name)
  redis.call('INCRBY', key .. ':bytes', bytes)
  redis.call('ZINCRBY', key .. ':owners', bytes, owner)
elseif does == 'take' then
  take(owner, name)
elseif does == 'delete' then
  take(owner, name)
  redis.call('ZADD', key .. ':gone', now, owner .. ' ' .. name)
elseif does == 'sweep' then
  for _, each in ipairs(redis.call('ZRANGEBYSCORE', key .. ':ends', '-inf', now, 'LIMIT', 0, ARGV[4])) do
    local at = string.find(each, ' ', 1, true)
    take(string.sub(each, 1, at - 1), string.sub(each, at + 1))
  end
  redis.call('ZREMRANGEBYSCORE', key .. ':gone', '-inf', now - tonumber(ARGV[5]))
  return { now, redis.call('ZRANGEBYSCORE', key .. ':gone', ARGV[6], '+inf') }
elseif does == 'epoch' then
  redis.call('SET', key .. ':epoch', ARGV[4], 'NX')
  return redis.call('GET', key .. ':epoch')
elseif does == 'oldest' then
  return redis.call('ZRANGE', key .. ':ages:' .. owner, 0, 0)
end
local largest = redis.call('ZREVRANGE', key .. ':owners', 0, 1, 'WITHSCORES')
local own = redis.call('ZSCORE', key .. ':owners', does == 'take' and ARGV[4] or owner)
return { tonumber(redis.call('GET', key .. ':bytes') or 0), tonumber(own or 0), largest }
`;

const ROOM_SCRIPT: Script = scriptOf(ROOM);

/** An entity that has to be deleted to make room. */
export interface Evicted {
  /** Its key on the server. */
  readonly key: string;
  /** The hash of its owner. */
  readonly owner: string;
}

/** Keeps the data of all replicas together within `responses.max_size`, by the same rule as the file. */
export class SharedRoom {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Enters an entity's current extent. @returns the entities to delete so that all have room */
  async put(entity: Entity, extent: Extent, ttlMs: number, maxBytes: number): Promise<Evicted[]> {
    const owner = hashOf(entity.owner);
    const { bytes, ageMs } = extent;
    const size = [bytes, ageMs, Math.ceil(ttlMs)].map(String);
    const evicted: Evicted[] = [];
    let standing = standingOf(await this.#run(['put', owner, keyOf(entity), ...size]), owner);
    while (standing.total > maxBytes) {
      const { other, own } = standing;
      const from = other !== undefined && isOthersTurn(other.bytes, own) ? other.owner : owner;
      const [key] = (await this.#run(['oldest', from])) as readonly string[];
      if (key === undefined) break;
      standing = standingOf(await this.#run(['take', from, key, owner]), owner);
      evicted.push({ key, owner: from });
    }
    return evicted;
  }

  /** Removes a deleted entity, and lets the other replicas know. */
  async delete(entity: Entity): Promise<void> {
    await this.#run(['delete', hashOf(entity.owner), keyOf(entity)]);
  }

  /** An identifier that changes if the server loses its data. @param wanted used if there is none yet */
  async epoch(wanted: string): Promise<string> {
    return String(await this.#run(['epoch', '', '', wanted]));
  }

  /**
   * Removes expired entities from the account. @returns the entities deleted since a time, and the current time by the
   * server's clock
   */
  async sweep(sinceMs: number): Promise<{ nowMs: number; gone: ReadonlySet<string> }> {
    const args = ['sweep', '', '', SWEPT, GONE_MS, sinceMs].map(String);
    const [nowMs, gone] = (await this.#run(args)) as [number, readonly string[]];
    return { nowMs, gone: new Set(gone) };
  }

  async #run(args: readonly string[]): Promise<Answer> {
    return await this.#link.run(ROOM_SCRIPT, KEY, args, (answer) => answer);
  }
}

interface Standing {
  readonly total: number;
  readonly own: number;
  /** The other owner who has stored most. */
  readonly other: { readonly owner: string; readonly bytes: number } | undefined;
}

function standingOf(answer: Answer, owner: string): Standing {
  const [total, own, largest] = answer as readonly [number, number, readonly string[]];
  for (let at = 0; at + 1 < largest.length; at += 2)
    if (largest[at] !== owner)
      return { total, own, other: { owner: largest[at]!, bytes: Number(largest[at + 1]) } };
  return { total, own, other: undefined };
}

/** The name of an entity in the list of deletions. */
export function deletionName({ kind, owner, id }: { kind: Kind; owner: string; id: string }): string {
  return `${hashOf(owner)} ${keyOf({ kind, id })}`;
}
