import { afterEach, describe, expect, test } from 'bun:test';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import type { Charge, Refusal, Reservation } from '../../src/limits/ledger.ts';
import { systemClock } from '../../src/clock.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { MAX_TRIES } from '../../src/limits/limiter.ts';
import { ReplicaLedger } from '../../src/limits/replicas/replica-ledger.ts';
import { Cable } from '../helpers/cable.ts';
import { DOCUMENTED_RULES, REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

const ledgers: ReplicaLedger[] = [];
afterEach(async () => {
  for (const ledger of ledgers.splice(0)) await ledger.close();
});

const LIMITS = limitsOf(
  [
    { requests: 10, per: 'hour' },
    { tokens: 100_000, per: 'total' },
    { concurrent: 3 },
    { tokens: 100, per: 'second' },
    { budget: 100, per: 'month' },
  ].map((each) => limit.parse(each) as LimitConfig),
  { name: 'group g', apart: [] },
);
const [REQUESTS, TOKENS, CONCURRENT, PER_SECOND, BUDGET] = LIMITS;

interface Made {
  readonly ledger: ReplicaLedger;
  readonly problems: readonly string[];
  /** Reserves capacity, and waits for the server if necessary. */
  take(
    ...wanted: (readonly [limit: (typeof LIMITS)[number], amount: number])[]
  ): Promise<Reservation | Refusal>;
  settle(reservation: Reservation | Refusal, ...used: number[]): void;
  used(limit: (typeof LIMITS)[number]): Promise<number>;
}

async function replica(
  url: string,
  more: { expiresMs?: number; skewMs?: number; replicas?: number; timeoutMs?: number } = {},
): Promise<Made> {
  const { skewMs = 0, replicas = 1, timeoutMs = 2_000, ...rest } = more;
  const problems: string[] = [];
  const clock = { ...systemClock, now: () => Date.now() + skewMs };
  const onProblem = (message: string) => void problems.push(message);
  const ledger = new ReplicaLedger({ url, timeoutMs, replicas, maxMeters: 1_000, clock, onProblem, ...rest });
  ledgers.push(ledger);
  await ledger.opened();
  return {
    ledger,
    problems,
    async take(...wanted) {
      const charges = wanted.map(([each, amount]): Charge => chargeOf(each, amount));
      for (let asked = 0; asked < MAX_TRIES; asked += 1) {
        const wait = ledger.ask(charges, clock.now(), asked);
        if (!wait || !(await wait)) break;
      }
      return ledger.reserve(charges, clock.now());
    },
    settle(reservation, ...used) {
      if (reservation.kind === 'taken') ledger.settle(reservation as never, used, clock.now());
    },
    async used(each) {
      await ledger.refresh(each, each.id);
      return ledger.read(each, each.id, clock.now()).used;
    },
  };
}

function chargeOf(each: (typeof LIMITS)[number], amount: number): Charge {
  return { limit: each, meter: each.id, most: each.most, amount, known: amount, lenient: false };
}

/** How many requests a replica admits until it refuses one. */
async function takenBy({ take }: Made): Promise<number> {
  let taken = 0;
  while ((await take([REQUESTS!, 1])).kind === 'taken') taken += 1;
  return taken;
}

describe.skipIf(REDIS_SERVER === null)('ReplicaLedger', () => {
  test('admits as many requests to all replicas together as a limit allows, and reports when capacity returns', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    const kinds: string[] = [];
    for (let n = 0; n < 8; n += 1) kinds.push((await one.take([REQUESTS!, 1])).kind);
    for (let n = 0; n < 8; n += 1) kinds.push((await other.take([REQUESTS!, 1])).kind);
    expect(kinds.filter((kind) => kind === 'taken').length).toBe(10);
    const freeMs = await until('the usage to be shared', async () => {
      const refused = await other.take([REQUESTS!, 1]);
      return refused.kind === 'refused' && refused.freeMs;
    });
    const minutes = (freeMs - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(58);
    expect(minutes).toBeLessThan(62);
  });

  test('refuses nobody while there is capacity, however many use new limits at once', async () => {
    await using redis = await TestRedis.start();
    const both = [await replica(redis.url), await replica(redis.url)];
    for (let round = 0; round < 40; round += 1) {
      const [requests, budget] = limitsOf(
        [
          { requests: 30, per: 'hour' },
          { budget: 1, per: 'month' },
        ].map((each) => limit.parse(each) as LimitConfig),
        { name: `group ${round}`, apart: [] },
      );
      const kinds = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const { take, settle } = both[index % 2]!;
          await Bun.sleep((index * 7) % 5);
          const taken = await take([requests!, 1], [budget!, 1_500_000]);
          await Bun.sleep((index * 3) % 7);
          settle(taken, 1, 1_000_000);
          return taken.kind;
        }),
      );
      expect(kinds).toEqual(kinds.map(() => 'taken'));
    }
  });

  test('refuses nobody who could have been admitted all the time, however small limits are', async () => {
    await using redis = await TestRedis.start();
    const replicas = [await replica(redis.url), await replica(redis.url), await replica(redis.url)];
    for (let round = 0; round < 60; round += 1) {
      const [places, requests, tokens] = limitsOf(
        [
          { concurrent: 1 + (round % 5) },
          { requests: 1 + (round % 7), per: 'hour' },
          { tokens: 20 + round, per: 'total' },
        ].map((each) => limit.parse(each) as LimitConfig),
        { name: `group ${round}`, apart: [] },
      );
      const all = [places!, requests!, tokens!].filter((_, index) => (round >> index) % 2 === 0);
      const wanted = all.map((each) => [each, each === tokens ? 5 : 1] as const);
      if (wanted.length === 0) continue;
      const taken = new Map(all.map((each) => [each, 0]));
      const waiting = new Set<{ hasHadRoom: boolean }>();
      const change = (by: 1 | -1) => {
        for (const [each, amount] of wanted)
          if (by > 0 || each === places) taken.set(each, taken.get(each)! + by * amount);
        const hasRoom = wanted.every(([each, amount]) => taken.get(each)! + amount <= each.most);
        for (const each of waiting) each.hasHadRoom &&= hasRoom;
        expect(all.every((each) => taken.get(each)! <= each.most)).toBe(true);
      };
      const client = async (index: number) => {
        await Bun.sleep((index * 7) % 11);
        const { take, settle } = replicas[index % 3]!;
        const request = { hasHadRoom: true };
        waiting.add(request);
        for (const [each, amount] of wanted) request.hasHadRoom &&= taken.get(each)! + amount <= each.most;
        const answer = await take(...wanted);
        waiting.delete(request);
        if (answer.kind === 'refused') return request.hasHadRoom ? 'refused in error' : 'refused';
        change(1);
        await Bun.sleep((index * 5) % 13);
        settle(answer, ...wanted.map(([, amount]) => amount));
        change(-1);
        return 'taken';
      };
      const outcomes = await Promise.all(Array.from({ length: 9 }, (_, index) => client(index)));
      expect(outcomes).not.toContain('refused in error');
      expect(outcomes).toContain('taken');
    }
  }, 60_000);

  test('gives no places of a lowered limit twice', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    const [four, two] = [4, 2].map(
      (concurrent) =>
        limitsOf([limit.parse({ concurrent }) as LimitConfig], { name: 'group lower', apart: [] })[0]!,
    );
    const held = [await one.take([four!, 1]), await one.take([four!, 1])];
    held.push(await other.take([four!, 1]), await other.take([four!, 1]));
    expect(held.map(({ kind }) => kind)).toEqual(['taken', 'taken', 'taken', 'taken']);
    // One ends on each replica. The two that continue are all that the lowered limit allows.
    one.settle(held[0]!, 0);
    other.settle(held[2]!, 0);
    const more = await Promise.all([one.take([two!, 1]), other.take([two!, 1])]);
    expect(more.map(({ kind }) => kind)).toEqual(['refused', 'refused']);
    one.settle(held[1]!, 0);
    expect((await other.take([two!, 1])).kind).toBe('taken');
    expect((await one.take([two!, 1])).kind).toBe('refused');
  });

  test('does not contact the server while it has capacity of its own', async () => {
    await using redis = await TestRedis.start();
    const { ledger, take, settle } = await replica(redis.url);
    const charges = [chargeOf(TOKENS!, 10)];
    for (let n = 0; n < 20; n += 1) settle(await take([TOKENS!, 10]), 10);
    await until('a share of the capacity', async () => {
      const taken = await take([TOKENS!, 10]);
      settle(taken, 10);
      return ledger.ask(charges, Date.now()) === undefined;
    });
    // So an unavailable server changes nothing at first.
    redis.freeze();
    expect(ledger.ask(charges, Date.now())).toBeUndefined();
    expect(ledger.reserve(charges, Date.now()).kind).toBe('taken');
    redis.thaw();
  });

  test('does not contact the server for places while few of many are taken, however fast they change', async () => {
    await using redis = await TestRedis.start();
    const [places] = limitsOf([limit.parse({ concurrent: 200 }) as LimitConfig], {
      name: 'group g',
      apart: [],
    });
    const { ledger, take, settle } = await replica(redis.url);
    let asked = 0;
    const client = async (index: number) => {
      for (let n = 0; n < 150; n += 1) {
        if (ledger.ask([chargeOf(places!, 1)], Date.now())) asked += 1;
        const taken = await take([places!, 1]);
        await Bun.sleep((index * n) % 7);
        settle(taken, 0);
        await Bun.sleep((index + n) % 5);
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map(client));
    // Of 900 requests.
    expect(asked).toBeLessThan(100);
  });

  test('releases what a request did not use, and counts usage beyond the reservation', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    const big = await one.take([TOKENS!, 90_000]);
    expect((await other.take([TOKENS!, 20_000])).kind).toBe('refused');
    one.settle(big, 50_000);
    await until('the rest to be returned', async () => {
      const taken = await other.take([TOKENS!, 40_000]);
      other.settle(taken, 45_000);
      return taken.kind === 'taken';
    });
    await until('the usage to be shared', () => one.used(TOKENS!), { is: 95_000 });
  });

  test('reserves from all limits or from none', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    const held = [
      await one.take([CONCURRENT!, 1]),
      await one.take([CONCURRENT!, 1]),
      await one.take([CONCURRENT!, 1]),
    ];
    expect((await other.take([REQUESTS!, 1], [CONCURRENT!, 1])).kind).toBe('refused');
    expect(await other.used(REQUESTS!)).toBe(0);
    one.settle(held[0]!, 0);
    await until('a place is free', async () => {
      const taken = await other.take([REQUESTS!, 1], [CONCURRENT!, 1]);
      return taken.kind === 'taken';
    });
    expect(await other.used(REQUESTS!)).toBe(1);
  });

  test('counts amounts of money exactly', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    const odd = 123_456_789_013;
    for (let n = 0; n < 7; n += 1) one.settle(await one.take([BUDGET!, odd]), odd);
    await until('the usage to be shared', () => other.used(BUDGET!), { is: 7 * odd });
    // One unit more than is left, and exactly what is left.
    const left = BUDGET!.most - 7 * odd;
    expect((await other.take([BUDGET!, left + 1])).kind).toBe('refused');
    await until(
      'a reservation that fits exactly',
      async () => (await other.take([BUDGET!, left])).kind === 'taken',
    );
  });

  test('uses the clock of the server for windows', async () => {
    await using redis = await TestRedis.start();
    const [fast, slow] = [
      await replica(redis.url, { skewMs: 3_600_000 }),
      await replica(redis.url, { skewMs: -3_600_000 }),
    ];
    fast.settle(await fast.take([PER_SECOND!, 100]), 100);
    await until('the usage to be shared', async () => (await slow.used(PER_SECOND!)) === 100 || 'over');
    const beganMs = performance.now();
    await until('there is room again', async () => (await slow.take([PER_SECOND!, 100])).kind, {
      is: 'taken',
    });
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  test('counts the share of a lost replica as used, and corrects that when the replica returns', async () => {
    await using redis = await TestRedis.start();
    const gone = await replica(redis.url, { expiresMs: 1 });
    const other = await replica(redis.url);
    const taken = await gone.take([TOKENS!, 30_000]);
    await until('its share has expired', () => other.used(TOKENS!), { atLeast: 30_000 });
    gone.settle(taken, 1_000);
    await until('the usage to be reported', async () => {
      await gone.ledger.refresh(TOKENS!, TOKENS!.id);
      return (await other.used(TOKENS!)) === 1_000;
    });
  });

  test('frees the places of a killed replica, however rarely the others use the limit', async () => {
    await using redis = await TestRedis.start();
    const killed = await replica(redis.url, { expiresMs: 500 });
    const other = await replica(redis.url);
    for (let each = 0; each < 3; each += 1) expect((await killed.take([CONCURRENT!, 1])).kind).toBe('taken');
    expect((await other.take([CONCURRENT!, 1])).kind).toBe('refused');
    killed.ledger.link.close();
    // Longer than a replica in use is ever silent.
    await Bun.sleep(2_000);
    expect((await other.take([CONCURRENT!, 1])).kind).toBe('taken');
  });

  test('asks first after it was suspended for so long that others may have its share', async () => {
    await using redis = await TestRedis.start();
    const { ledger, take, settle } = await replica(redis.url, { expiresMs: 3_000 });
    const charges = [chargeOf(TOKENS!, 10)];
    await until('a share of the capacity', async () => {
      settle(await take([TOKENS!, 10]), 10);
      return ledger.ask(charges, Date.now()) === undefined;
    });
    // Nothing runs meanwhile.
    Bun.sleepSync(3_100);
    expect(ledger.ask(charges, Date.now())).toBeInstanceOf(Promise);
    expect(ledger.reserve(charges, Date.now()).kind).toBe('refused');
    expect((await take([TOKENS!, 10])).kind).toBe('taken');
  });

  test('keeps the places of a replica while the server is unavailable to all', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [
      await replica(redis.url, { timeoutMs: 200, expiresMs: 1_500 }),
      await replica(redis.url, { timeoutMs: 200, expiresMs: 1_500 }),
    ];
    for (let each = 0; each < 3; each += 1) expect((await one.take([CONCURRENT!, 1])).kind).toBe('taken');
    redis.freeze();
    await until('both to notice', async () => {
      await Promise.all([one.used(CONCURRENT!), other.used(CONCURRENT!)]);
      return !one.ledger.state.up && !other.ledger.state.up;
    });
    await Bun.sleep(2_000);
    redis.thaw();
    await until('one of them to be back', () => other.ledger.state.up);
    expect((await other.take([CONCURRENT!, 1])).kind).toBe('refused');
  });

  test('restores usage on a server that has lost its data', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [await replica(redis.url), await replica(redis.url)];
    one.settle(await one.take([TOKENS!, 30_000]), 30_000);
    other.settle(await other.take([TOKENS!, 40_000]), 40_000);
    await until('the usage on both replicas', () => one.used(TOKENS!), { is: 70_000 });
    await until('the replicas to find each other', () => one.ledger.state.replicas, { is: 2 });
    await redis.kill();
    await redis.start();
    await until('both replicas to reconnect', () => one.ledger.state.up && other.ledger.state.up);
    await until('all is counted', () => other.used(TOKENS!), { is: 70_000 });
    expect((await one.take([TOKENS!, 30_001])).kind).toBe('refused');
    const told = one.problems.map((problem) =>
      problem.replace(/:\d+/, ':PORT').replace(/: \S.*?;/, ': REASON;'),
    );
    expect(told).toEqual([
      'Cannot share limits through 127.0.0.1:PORT (state.redis): REASON; until it is available again, this replica may use 1/2 of what was left of each limit',
      'Limits are shared through 127.0.0.1:PORT (state.redis) again',
    ]);
  });

  test('uses only its part of the remaining capacity while the server hangs, after a single timeout', async () => {
    await using redis = await TestRedis.start();
    const [one, other] = [
      await replica(redis.url, { timeoutMs: 200, replicas: 2 }),
      await replica(redis.url, { timeoutMs: 200, replicas: 2 }),
    ];
    one.settle(await one.take([TOKENS!, 20_000]), 20_000);
    await until(
      'both know',
      async () => (await other.used(TOKENS!)) === 20_000 && (await one.used(TOKENS!)) === 20_000,
    );
    const held = await other.take([TOKENS!, 40_000]);
    await until('both replicas to learn of it', async () => {
      await one.used(TOKENS!);
      return one.ledger.read(TOKENS!, TOKENS!.id, Date.now()).reserved === 40_000;
    });
    redis.freeze();
    // Each replica gets half of the 40,000 that is not reserved, once the other could have noticed that it
    // is cut off.
    const early = await Promise.all([one.take([TOKENS!, 20_000]), other.take([TOKENS!, 20_000])]);
    expect(early.map(({ kind }) => kind)).toEqual(['refused', 'refused']);
    expect(one.ledger.state.up).toBe(false);
    const taken = await Promise.all(
      [one, other].map(({ take }) =>
        until('its share of the limit', async () => {
          const answer = await take([TOKENS!, 20_000]);
          return answer.kind === 'taken' && answer;
        }),
      ),
    );
    // From now on, no request waits.
    expect(one.ledger.ask([chargeOf(TOKENS!, 1)], Date.now())).toBeUndefined();
    expect((await one.take([TOKENS!, 100])).kind).toBe('refused');
    expect((await other.take([TOKENS!, 100])).kind).toBe('refused');
    one.settle(taken[0]!, 20_000);
    redis.thaw();
    await until('both replicas to reconnect', () => one.ledger.state.up && other.ledger.state.up);
    other.settle(taken[1]!, 15_000);
    other.settle(held, 20_000);
    await until('the usage to be shared', () => one.used(TOKENS!), { is: 75_000 });
    expect((await other.take([TOKENS!, 25_000])).kind).toBe('taken');
  });

  test('leaves its part to a replica that is cut off and has used all of its share', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    const cutOff = await replica(cable.url, { timeoutMs: 100, replicas: 2 });
    const other = await replica(redis.url, { replicas: 2 });
    for (const { take } of [cutOff, other]) expect((await take([REQUESTS!, 1])).kind).toBe('taken');
    await until('both know', () => cutOff.used(REQUESTS!), { is: 2 });
    cable.cut();
    // The others leave it its part from then on.
    await Bun.sleep(1_600);
    expect(await takenBy(other)).toBe(4);
    expect(await until('it may use its part', () => takenBy(cutOff))).toBe(4);
  });

  test('leaves nothing to a replica that is cut off and has not used the limit for seconds', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    const cutOff = await replica(cable.url, { timeoutMs: 100, replicas: 2 });
    const other = await replica(redis.url, { replicas: 2 });
    for (const { take } of [cutOff, other]) expect((await take([REQUESTS!, 1])).kind).toBe('taken');
    await Bun.sleep(2_200);
    cable.cut();
    await Bun.sleep(1_600);
    expect(await takenBy(other)).toBe(8);
  });

  test('loses nothing when replicas end and others start', async () => {
    await using redis = await TestRedis.start();
    for (let n = 0; n < 3; n += 1) {
      const { take, settle, ledger } = await replica(redis.url);
      for (let each = 0; each < 5; each += 1) settle(await take([TOKENS!, 1_000]), 700);
      await ledger.close();
    }
    const last = await replica(redis.url);
    expect(await last.used(TOKENS!)).toBe(3 * 5 * 700);
    expect((await last.take([TOKENS!, 100_000 - 10_500])).kind).toBe('taken');
  });

  test('lets a stream continue while there is capacity, even beyond the local share', async () => {
    await using redis = await TestRedis.start();
    const { take, settle, ledger, used } = await replica(redis.url);
    const taken = await take([TOKENS!, 10]);
    if (taken.kind !== 'taken') throw new Error('It was refused');
    const now = () => Date.now();
    expect(ledger.extend(taken as never, 0, 5_000, now())).toBe(true);
    expect(ledger.extend(taken as never, 0, 100_000, now())).toBe(false);
    expect(taken.held).toEqual([5_010]);
    settle(taken, 5_010);
    await until('the usage to be shared', () => used(TOKENS!), { is: 5_010 });
  });

  test('names the user that the server rejects, but not the password', async () => {
    const user = ['--user', 'proxy', 'on', '>a-good/password', ...DOCUMENTED_RULES];
    await using redis = await TestRedis.start(...user);
    const withUser = (password: string) => redis.url.replace('//', `//proxy:${password}@`);
    const [good, bad] = [
      // In a URL, the password is percent-encoded.
      await replica(withUser('a%2Dgood%2fpassword')),
      await replica(withUser('a-bad-password')),
    ];
    expect(good.ledger.state.up).toBe(true);
    expect((await good.take([REQUESTS!, 1])).kind).toBe('taken');
    expect(good.problems).toEqual([]);
    expect(bad.ledger.state.up).toBe(false);
    expect(bad.problems.join()).toContain('Cannot share limits');
    expect(bad.problems.join()).not.toContain('a-bad-password');
  });
});
