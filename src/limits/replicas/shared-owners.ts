import type { Clock } from '../../clock.ts';
import type { Answer, Link } from '../../redis/link.ts';
import type { StoredObject } from '../object-owners.ts';
import { LinkDown, scriptOf } from '../../redis/link.ts';

/** What replicas know together of an object that a provider has stored. */
export interface SharedObject {
  /** Whether the asking owner had it stored. */
  readonly isOwn: boolean;
  readonly provider: string;
}

export interface SharedOwnersOptions {
  readonly link: Pick<Link, 'run' | 'up'>;
  readonly clock: Clock;
  /** The largest number of objects on the server. */
  readonly most?: number;
}

/** The most objects that are remembered, on the server and while it is unavailable. */
const MOST = 100_000;
const MOST_UNSENT = 10_000;

/** The interval at which an unavailable server is tried again, milliseconds. */
const RETRY_MS = 1_000;

/** How long everything is kept after the last object was noted, milliseconds. */
const KEPT_MS = 90 * 86_400_000;

/** All keys are in one cluster slot. */
const KEY = 'llmproxy:{objects}';

/**
 * Notes who had what stored. The first owner stays. If there are too many objects, the oldest of the owner with most of
 * them are forgotten, as in the file of a single replica.
 */
const NOTE = `
local key, id, owner, provider = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local most, keptMs = tonumber(ARGV[4]), ARGV[5]
local owners, count = key .. ':owners', key .. ':count'
local function idsOf(each) return key .. ':of:' .. each end
local known = redis.call('HGET', key, id)
if known and string.sub(known, 1, #owner + 1) ~= owner .. ' ' then return 0 end
local time = redis.call('TIME')
redis.call('HSET', key, id, owner .. ' ' .. provider)
redis.call('ZADD', idsOf(owner), time[1] * 1000000 + time[2], id)
if not known then
  redis.call('ZINCRBY', owners, 1, owner)
  if redis.call('HINCRBY', count, 'all', 1) > most then
    local largest = redis.call('ZREVRANGE', owners, 0, 0)[1]
    local oldest = redis.call('ZRANGE', idsOf(largest), 0, math.min(1000, math.floor(most / 100)))
    redis.call('HDEL', key, unpack(oldest))
    redis.call('ZREM', idsOf(largest), unpack(oldest))
    redis.call('ZINCRBY', owners, -#oldest, largest)
    redis.call('HINCRBY', count, 'all', -#oldest)
  end
end
for _, each in ipairs({ key, owners, count, idsOf(owner) }) do redis.call('PEXPIRE', each, keptMs) end
return 1
`;

const FIND = `return redis.call('HGET', KEYS[1], ARGV[1])`;

const NOTE_SCRIPT = scriptOf(NOTE);
const FIND_SCRIPT = scriptOf(FIND);

/**
 * Who had providers store what, for all replicas that use the same server. It knows owners and ids as hashes only. What
 * cannot be noted because the server is unavailable is noted later.
 */
export class SharedOwners {
  readonly #options: SharedOwnersOptions;
  readonly #unsent = new Map<string, StoredObject>();
  #sending: Promise<void> | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: SharedOwnersOptions) {
    this.#options = options;
  }

  /**
   * Looks an object up.
   * @param owner who asks for it
   * @returns `undefined` if nobody has noted it, or the server is unavailable
   */
  async find(id: string, owner: string): Promise<SharedObject | undefined> {
    const { link } = this.#options;
    if (!link.up) return undefined;
    try {
      const found = await link.run(FIND_SCRIPT, KEY, [hashOf(id)], textOf);
      const end = found?.indexOf(' ') ?? -1;
      if (found === undefined || end < 0) return undefined;
      return { isOwn: found.slice(0, end) === hashOf(owner), provider: found.slice(end + 1) };
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
      return undefined;
    }
  }

  /** Lets all replicas know who had an object stored. */
  note(id: string, object: StoredObject): void {
    this.#unsent.set(id, object);
    if (this.#unsent.size > MOST_UNSENT) {
      const [oldest] = this.#unsent.keys();
      this.#unsent.delete(oldest!);
    }
    void this.flush();
  }

  /** Sends what was noted, as far as the server is available. */
  flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#unsent.size > 0) this.#retryLater();
    });
    return this.#sending;
  }

  close(): void {
    this.#cancel?.();
  }

  async #sendAll(): Promise<void> {
    const { link, most = MOST } = this.#options;
    for (const [id, object] of this.#unsent) {
      if (!link.up) return;
      const { owner, provider } = object;
      const args = [hashOf(id), hashOf(owner), provider, String(most), String(KEPT_MS)];
      try {
        await link.run(NOTE_SCRIPT, KEY, args, Number);
      } catch (thrown) {
        if (!(thrown instanceof LinkDown)) throw thrown;
        return;
      }
      if (this.#unsent.get(id) === object) this.#unsent.delete(id);
    }
  }

  #retryLater(): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(RETRY_MS, () => void this.flush());
  }
}

function textOf(answer: Answer): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}

/** Neither names of keys nor ids, which only those may know who were told them, can be read on the server. */
function hashOf(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32);
}
