/** Tests how the server-side script processes replicas' reports, on a real server. */
import { RedisClient } from 'bun';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Reply, Report } from '../../src/limits/replicas/script.ts';
import { argumentsOf, replyOf, SYNC_SCRIPT } from '../../src/limits/replicas/script.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';

const MOST = 1_000;
const PATIENCE = { silentMs: 1_500, expiresMs: 60_000 };

let server: TestRedis;
let client: RedisClient;
let keys = 0;

const report = (more: Partial<Report>): Report => ({
  replica: 'one',
  number: 1,
  batch: 0,
  used: [],
  epoch: '',
  newEpoch: 'first',
  most: MOST,
  keeps: 0,
  taken: 0,
  least: 0,
  needs: 0,
  wants: 0,
  now: slice(0),
  restores: [],
  deadlineMs: Infinity,
  connectedMs: 3_600_000,
  parts: 1,
  ...more,
});

function slice(amount: number) {
  return { startMs: 0, endMs: Infinity, forgetMs: Infinity, amount };
}

/** Reports to a meter of its own. */
function meter(): (more: Partial<Report>) => Promise<Reply> {
  const key = `{${(keys += 1)}}`;
  return async (more) =>
    replyOf(await client.send('EVAL', [SYNC_SCRIPT.text, '1', key, ...argumentsOf(report(more), PATIENCE)]));
}

async function heard(answer: Promise<Reply>): Promise<Extract<Reply, { kind: 'heard' }>> {
  const given = await answer;
  if (given.kind !== 'heard') throw new Error(`It is ${given.kind}`);
  return given;
}

const usedOf = ({ slices }: Extract<Reply, { kind: 'heard' }>) =>
  slices.reduce((sum, [, , amount]) => sum + amount, 0);

/**
 * What a replica does next: it uses something, requests a share, or repeats its last message; or an old message
 * arrives.
 */
const step = fc.record({
  replica: fc.constantFrom('one', 'two', 'three'),
  does: fc.constantFrom('use', 'ask', 'again', 'late'),
  amount: fc.nat(200),
  which: fc.nat(1_000),
});

describe.skipIf(REDIS_SERVER === null)('the script of a shared limit', () => {
  beforeAll(async () => {
    server = await TestRedis.start();
    client = new RedisClient(server.url);
  });
  afterAll(async () => {
    client?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('counts usage once, however often and in whatever order it arrives, and grants no more than is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const tell = meter();
        const sent: Partial<Report>[] = [];
        const shares = new Map<string, number>();
        const batches = new Map<string, Partial<Report>>();
        let number = 0;
        let used = 0;
        for (const { replica, does, amount, which } of steps) {
          if (does === 'late') {
            const old = sent[which % Math.max(1, sent.length)];
            if (old) expect((await tell(old)).kind).toBe('late');
            continue;
          }
          const share = shares.get(replica) ?? 0;
          number += 1;
          let batch = batches.get(replica) ?? { batch: 0, used: [] };
          let keeps = share;
          if (does === 'use') {
            const now = Math.min(share, amount);
            used += now;
            keeps -= now;
            batch = { batch: number, used: [slice(now)] };
            batches.set(replica, batch);
          }
          const message = { replica, number, ...batch, keeps, needs: does === 'ask' ? amount : 0 };
          sent.push(message);
          const answer = await heard(tell(message));
          shares.set(replica, answer.share);
          expect(usedOf(answer)).toBe(used);
          const others = [...shares]
            .filter(([name]) => name !== replica)
            .reduce((sum, [, each]) => sum + each, 0);
          expect(answer.others).toBe(others);
          expect(used + others + answer.share).toBeLessThanOrEqual(MOST);
          expect(answer.share).toBeGreaterThanOrEqual(keeps);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('grants what is needed, and in advance no more than a twentieth of what is left', async () => {
    const tell = meter();
    expect(await heard(tell({ number: 1, needs: 10, wants: 900 }))).toMatchObject({ share: 50 });
    expect(await heard(tell({ replica: 'two', number: 1, needs: 100, wants: 900 }))).toMatchObject({
      share: 100,
    });
    // Nothing if that would be of no use, and the rest if less is sufficient.
    expect(await heard(tell({ replica: 'two', number: 2, needs: 2_000, least: 1_500 }))).toMatchObject({
      share: 0,
    });
    expect(await heard(tell({ replica: 'two', number: 3, needs: 2_000, least: 1 }))).toMatchObject({
      share: 950,
    });
  });

  test('tells what the others hold without having taken it', async () => {
    const tell = meter();
    await tell({ number: 1, needs: 300 });
    expect(await heard(tell({ replica: 'two', number: 1 }))).toMatchObject({ others: 300, unused: 300 });
    await tell({ number: 2, keeps: 300, taken: 200 });
    expect(await heard(tell({ replica: 'two', number: 2 }))).toMatchObject({ others: 300, unused: 100 });
    await tell({ number: 3, keeps: 200, taken: 200 });
    expect(await heard(tell({ replica: 'two', number: 3 }))).toMatchObject({ others: 200, unused: 0 });
  });

  test('reports that its data is lost, and merges what replicas know of it', async () => {
    const tell = meter();
    expect(await tell({ number: 1, epoch: 'before' })).toEqual({ kind: 'lost' });
    await tell({ number: 2, restores: [slice(100)], batch: 1, used: [slice(5)] });
    await tell({ replica: 'two', number: 2, restores: [slice(103)], batch: 1, used: [slice(7)] });
    expect(usedOf(await heard(tell({ number: 3 })))).toBe(115);
  });

  test('keeps amounts of money to the last digit, and forgets expired slices', async () => {
    const tell = meter();
    const most = 9_000_000_000_000_000;
    const over = { startMs: 1, endMs: 2, forgetMs: 3, amount: 5 };
    const answer = await heard(
      tell({ most, batch: 1, used: [slice(1_234_567_890_123_457), over], needs: most }),
    );
    expect(answer.slices).toEqual([[0, null, 1_234_567_890_123_457]]);
    expect(answer.share).toBe(most - 1_234_567_890_123_457);
  });

  test('subtracts what was counted before', async () => {
    const tell = meter();
    await tell({ number: 1, batch: 1, used: [slice(10)] });
    expect(usedOf(await heard(tell({ number: 2, batch: 2, used: [slice(-4)] })))).toBe(6);
    expect(usedOf(await heard(tell({ number: 3, batch: 3, used: [slice(-100)] })))).toBe(0);
  });
});
