/** A cluster of real servers, and a Sentinel: which server receives each command. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { ReplicaLedger } from '../../src/limits/replicas/replica-ledger.ts';
import { StoredConversations } from '../../src/stored/conversations.ts';
import { openStored } from '../../src/stored/file.ts';
import { ResponseRows } from '../../src/stored/rows.ts';
import { shareThrough } from '../../src/stored/shared/share.ts';
import { redirectOf, slotOf, urlOf } from '../../src/redis/cluster.ts';
import { Link, scriptOf } from '../../src/redis/link.ts';
import { freePort, REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';

const COUNT = scriptOf("return redis.call('INCR', KEYS[1])");

test('the slot of a key is determined by its tag', () => {
  // The first is the example of the specification.
  expect(['123456789', 'llmproxy:{a}', '{a}', 'a'].map(slotOf)).toEqual([12_739, 15_495, 15_495, 15_495]);
});

test('redirections by a node are understood', () => {
  expect(redirectOf('MOVED 15495 127.0.0.1:7113')).toEqual({ address: '127.0.0.1:7113', isForGood: true });
  expect(redirectOf('ASK 1 [::1]:7113')?.isForGood).toBe(false);
  expect(redirectOf('ERR unknown')).toBeUndefined();
  const url = 'rediss://ann:p%40ss@one:6380/0';
  expect(urlOf(url, { address: 'two:7000' })).toBe('rediss://ann:p%40ss@two:7000/0');
  expect(urlOf(url, { address: ':7000' })).toBe('rediss://ann:p%40ss@one:7000/0');
  expect(urlOf(url, { address: '::1:7000' })).toBe('rediss://ann:p%40ss@[::1]:7000/0');
});

/** Three servers that divide the slots among them. */
class TestCluster implements AsyncDisposable {
  readonly nodes: TestRedis[] = [];
  readonly ids: string[] = [];

  static async start(): Promise<TestCluster> {
    const cluster = new TestCluster();
    const buses: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const bus = String(freePort());
      buses.push(bus);
      const args = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '2000'];
      cluster.nodes.push(await TestRedis.start(...args, '--cluster-require-full-coverage', 'no'));
    }
    const [first] = cluster.nodes;
    for (const [n, node] of cluster.nodes.entries()) {
      const from = Math.floor((n * 16_384) / 3);
      const to = Math.floor(((n + 1) * 16_384) / 3) - 1;
      await node.send('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      cluster.ids.push(String(await node.send('CLUSTER', 'MYID')));
      if (n > 0) await first!.send('CLUSTER', 'MEET', '127.0.0.1', String(node.port), buses[n]!);
    }
    for (const node of cluster.nodes)
      await until('the nodes to find each other', async () => {
        const info = String(await node.send('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes('cluster_slots_assigned:16384');
      });
    return cluster;
  }

  /** @returns the place of the node that has a slot */
  async owner(slot: number): Promise<number> {
    const slots = (await this.nodes[0]!.send('CLUSTER', 'SLOTS')) as [
      number,
      number,
      [string, number, string],
    ][];
    const [, , [, port]] = slots.find(([from, to]) => from <= slot && slot <= to)!;
    return this.nodes.findIndex((node) => node.port === port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

describe.skipIf(REDIS_SERVER === null)('a link', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  }, 60_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const linked = async (url: string) => {
    const told: string[] = [];
    const onDown = (reason: string) => void told.push(reason);
    const link = new Link({ url, timeoutMs: 2_000, clock: systemClock, onUp: () => undefined, onDown });
    await link.open();
    return { link, told, count: (key: string) => link.run(COUNT, key, [], Number) };
  };

  test('reaches every key of a cluster, whichever node is configured', async () => {
    const [{ link: one, count }, other] = [
      await linked(cluster.nodes[0]!.url),
      await linked(cluster.nodes[2]!.url),
    ];
    const keys = Array.from({ length: 60 }, (_, n) => `llmproxy:{${n}}`);
    for (const key of ['{}x', 'x{ü}{y}', ...keys])
      expect(await cluster.nodes[0]!.send('CLUSTER', 'KEYSLOT', key)).toBe(slotOf(key));
    expect(await Promise.all(keys.map(count))).toEqual(keys.map(() => 1));
    for (const key of keys) expect(await other.count(key)).toBe(2);
    expect([one.failures, other.link.failures]).toEqual([0, 0]);
    one.close();
    other.link.close();
  });

  test('keeps stored responses and counters of limits on a cluster', async () => {
    const { url } = cluster.nodes[0]!;
    const [each] = limitsOf([limit.parse({ tokens: 100, per: 'total' }) as LimitConfig], {
      name: 'g',
      apart: [],
    });
    const problems: string[] = [];
    const ledger = new ReplicaLedger({
      url,
      timeoutMs: 2_000,
      replicas: 1,
      maxMeters: 100,
      clock: systemClock,
      onProblem: (message) => problems.push(message),
    });
    const charge = { limit: each!, most: 100, amount: 10, known: 10, lenient: false };
    for (let n = 0; n < 20; n += 1) {
      const charges = [{ ...charge, meter: `meter ${n}` }];
      await ledger.ask(charges, Date.now());
      expect(ledger.reserve(charges, Date.now()).kind).toBe('taken');
    }
    await ledger.close();
    const db = openStored(undefined);
    const options = { maxBytes: 1e6, maxChain: 1e6, isShared: false };
    const rows = new ResponseRows(db, options, (text) => text);
    const stored = new StoredConversations(db, options, (text) => text);
    const { tables, close } = shareThrough(
      { url, timeoutMs: 2_000 },
      {
        db,
        rows,
        call: (_, name, given) =>
          (stored as never as Record<string, (...all: unknown[]) => unknown>)[name]!(...given),
        report: (message) => {
          if (message.kind !== 'shared' || message.message !== undefined)
            problems.push(JSON.stringify(message));
        },
      },
    );
    await until('it is connected', () => tables.sweep().then(() => true));
    for (let n = 0; n < 10; n += 1) {
      const made = { id: `c${n}`, metadata: {}, items: [{ content: 'x' }] };
      await tables.call('conversations', 'create', ['ann', made, Date.now(), Date.now() + 60_000]);
      expect(await tables.call('conversations', 'said', ['ann', `c${n}`])).toMatchObject({ kind: 'found' });
      expect(await tables.call('conversations', 'remove', ['ann', `c${n}`])).toBe(true);
    }
    expect(problems).toEqual([]);
    close();
    db.close();
  });

  test('follows a slot that moves to another node, also during the move', async () => {
    const { link, count } = await linked(cluster.nodes[0]!.url);
    const key = 'llmproxy:{moving}';
    const slot = slotOf(key);
    expect(await count(key)).toBe(1);
    const from = await cluster.owner(slot);
    const to = (from + 1) % 3;
    const [source, target] = [cluster.nodes[from]!, cluster.nodes[to]!];
    await target.send('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', cluster.ids[from]!);
    await source.send('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', cluster.ids[to]!);
    await source.send('MIGRATE', '127.0.0.1', String(target.port), key, '0', '2000');
    expect(await count(key)).toBe(2);
    for (const node of [target, source, ...cluster.nodes])
      await node.send('CLUSTER', 'SETSLOT', String(slot), 'NODE', cluster.ids[to]!);
    expect(await count(key)).toBe(3);
    expect(await count(key)).toBe(4);
    expect(link.failures).toBe(0);
    link.close();
  });

  test('finds the other nodes of a cluster if the configured one is gone', async () => {
    const { link, count, told } = await linked(cluster.nodes[1]!.url);
    const keys = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => ({
        key: `llmproxy:{gone ${n}}`,
        at: await cluster.owner(slotOf(`{gone ${n}}`)),
      })),
    );
    for (const { key } of keys) await count(key);
    await cluster.nodes[1]!.kill();
    await until('the message', () => told.length, { atLeast: 1 });
    await until('the link to be up again', () => link.up);
    for (const { key, at } of keys) if (at !== 1) expect(await count(key)).toBe(2);
    link.close();
  }, 60_000);

  test('says what is wrong with a Sentinel', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'llmproxy-sentinel-'));
    const file = join(directory, 'sentinel.conf');
    const port = freePort();
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\ndir ${directory}\n`);
    await using sentinel = Bun.spawn([REDIS_SERVER!, file, '--sentinel'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const { link, told, count } = await until('it listens', async () => {
      const tried = await linked(`redis://127.0.0.1:${port}`);
      if (tried.link.up) return tried;
      tried.link.close();
      return false;
    });
    await expect(count('{a}')).rejects.toThrow('if it is a Sentinel, name the server that it watches');
    // The link retries at once, and then gives up.
    await until('the message', async () => {
      await count('{a}').catch(() => undefined);
      return told.join().includes('Sentinel');
    });
    link.close();
    sentinel.kill();
    await sentinel.exited;
    rmSync(directory, { recursive: true, force: true });
  });
});
