import type { Answer, Link, Script } from '../../redis/link.ts';
import type { Entity, Kind } from './entity.ts';
import type { Extent } from './copy.ts';
import { scriptOf } from '../../redis/link.ts';
import { isOthersTurn } from '../room.ts';
import { hashOf, keyOf } from './entity.ts';

/** How much is stored by whom. All of it is one slot of a cluster. */
const KEY = 'llmproxy:{stored}';

/** How many are looked at in a sweep. */
const SWEPT = 1_000;

/** How long it is remembered what was deleted, so that all replicas hear of it, milliseconds. */
const GONE_MS = 86_400_000;

/**
 * Commands on the account of what is stored: bytes by owner, ages and ends by entity. An entity is named by the hashes of its owner, its
 * kind and its id, so that its keys follow from its name.
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

/** An entity that has to go, by hashes: nobody here may know more of it. */
export interface Evicted {
  /** Its key on the server. */
  readonly key: string;
  readonly owner: string;
}

/** Keeps what replicas store together within its bound, by the rule of the file. */
export class SharedRoom {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** An entity has this extent now. @returns what has to go instead */
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

  /** An entity was deleted. */
  async delete(entity: Entity): Promise<void> {
    await this.#run(['delete', hashOf(entity.owner), keyOf(entity)]);
  }

  /** By which the server is known to be the one that it was. */
  async epoch(wanted: string): Promise<string> {
    return String(await this.#run(['epoch', '', '', wanted]));
  }

  /** Takes what is over out of the account. @returns what was deleted since, by owner and key, and what time it is by the server's clock */
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
  /** Who has stored most, of all others. */
  readonly other: { readonly owner: string; readonly bytes: number } | undefined;
}

function standingOf(answer: Answer, owner: string): Standing {
  const [total, own, largest] = answer as readonly [number, number, readonly string[]];
  for (let at = 0; at + 1 < largest.length; at += 2)
    if (largest[at] !== owner)
      return { total, own, other: { owner: largest[at]!, bytes: Number(largest[at + 1]) } };
  return { total, own, other: undefined };
}

/** As deletions are told of. */
export function goneName({ kind, owner, id }: { kind: Kind; owner: string; id: string }): string {
  return `${hashOf(owner)} ${keyOf({ kind, id })}`;
}
