/** Replicas with a shared store give the same answers as a single store. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { TableName, Tables } from '../../src/stored/messages.ts';
import { StoredBackground } from '../../src/stored/background.ts';
import { StoredConversations } from '../../src/stored/conversations.ts';
import { openStored } from '../../src/stored/file.ts';
import { StoredResponses } from '../../src/stored/responses.ts';
import { ResponseRows } from '../../src/stored/rows.ts';
import { shareThrough } from '../../src/stored/shared/share.ts';
import { DOCUMENTED_RULES, REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';
import { Cable } from '../helpers/cable.ts';
import { until } from '../helpers/until.ts';

const MIB = 1024 * 1024;

interface One extends Disposable {
  call(table: TableName, name: string, given: readonly unknown[]): unknown;
}

/** A store that is not shared. */
function alone() {
  const db = openStored(undefined);
  const options = { maxBytes: MIB, maxChain: MIB, isShared: false };
  const redact = (text: string) => text;
  const rows = new ResponseRows(db, options, redact);
  const tables: Tables = {
    responses: new StoredResponses(rows),
    background: new StoredBackground(rows),
    conversations: new StoredConversations(db, options, redact),
  };
  const call = (table: TableName, name: string, given: readonly unknown[]): unknown =>
    (tables[table] as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...given);
  return { db, rows, call, [Symbol.dispose]: () => db.close() };
}

interface Replica extends One {
  readonly up: () => boolean;
  readonly failures: () => number;
  readonly sweep: () => Promise<void>;
}

async function replica(url: string): Promise<Replica> {
  const { db, rows, call } = alone();
  let up = false;
  let failures = 0;
  const { tables, close } = shareThrough(
    { url, timeoutMs: 300 },
    {
      db,
      rows,
      call,
      report: (message) => {
        if (message.kind === 'shared') ({ up, failures } = message.state);
      },
    },
  );
  await until('it is connected', () => up);
  return {
    up: () => up,
    failures: () => failures,
    sweep: () => tables.sweep(),
    call: (table, name, given) => tables.call(table, name, given),
    [Symbol.dispose]: () => {
      close();
      db.close();
    },
  };
}

const OWNERS = ['ann', 'bob'];
const IDS = ['1', '2', '3', '4'];
const nowMs = Date.now();
const untilMs = nowMs + 3_600_000;
const page = { limit: 100, order: 'asc' } as const;

const body = (id: string, said: string, status = 'completed') =>
  JSON.stringify({
    id,
    status,
    output: [{ type: 'message', id: `msg_${id}`, role: 'assistant', content: said }],
  });

type Call = readonly [table: TableName, name: string, given: readonly unknown[]];

/** Calls as the server makes them. */
const call = fc
  .record({
    what: fc.nat(17),
    owner: fc.constantFrom(...OWNERS),
    id: fc.constantFrom(...IDS),
    other: fc.option(fc.constantFrom(...IDS), { nil: undefined }),
    text: fc.string({ maxLength: 20 }),
  })
  .map(({ what, owner, id, other, text }): Call => {
    const kept = {
      owner,
      request: JSON.stringify({ input: text }),
      response: body(id, text),
      nowMs,
      untilMs,
    };
    const queued = { ...kept, id, streams: true, response: body(id, '', 'queued') };
    const items = [{ role: 'user', content: text }];
    const calls: Call[] = [
      ['responses', 'keep', [{ ...kept, previous: other }]],
      ['responses', 'keep', [{ ...kept, conversation: other }]],
      ['responses', 'show', [owner, id, nowMs]],
      ['responses', 'chain', [owner, id, nowMs]],
      ['responses', 'inputsText', [owner, id, page, nowMs]],
      ['responses', 'remove', [owner, id]],
      ['background', 'queue', [{ ...queued, previous: other }]],
      ['background', 'begin', [owner, id, nowMs]],
      ['background', 'end', [{ owner, id, response: body(id, text), nowMs, untilMs }]],
      ['background', 'beat', [[[owner, id]], nowMs]],
      ['background', 'cancel', [owner, id, nowMs]],
      ['background', 'addEvents', [owner, id, 0, [text, `${text}${other}`]]],
      ['background', 'events', [owner, id, -1, nowMs]],
      ['conversations', 'create', [owner, { id, metadata: { text }, items }, nowMs, untilMs]],
      ['conversations', 'add', [owner, id, items, nowMs, untilMs]],
      ['conversations', 'list', [owner, id, page]],
      ['conversations', 'said', [owner, id]],
      ['conversations', other === undefined ? 'remove' : 'get', [owner, id]],
    ];
    return calls[what]!;
  });

describe.skipIf(REDIS_SERVER === null)('replicas with a shared store', () => {
  test('answer like a single store, whichever of them is called', async () => {
    await using redis = await TestRedis.start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(call, fc.boolean()), { minLength: 10, maxLength: 60 }),
        async (calls) => {
          using model = alone();
          await redis.send('FLUSHALL');
          using one = await replica(redis.url);
          using other = await replica(redis.url);
          // Each conversation is created only once, because ids are unique.
          const made = new Set<string>();
          for (const [[table, name, given], which] of calls) {
            if (name === 'create') {
              const key = `${String(given[0])} ${(given[1] as { id: string }).id}`;
              if (made.has(key)) continue;
              made.add(key);
            }
            const expected = model.call(table, name, given);
            expect([name, await (which ? one : other).call(table, name, given)]).toEqual([name, expected]);
          }
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  test('work with the Redis permissions from docs/scale.md', async () => {
    const user = ['--user', 'proxy', 'on', '>a-password', ...DOCUMENTED_RULES];
    await using redis = await TestRedis.start(...user);
    using one = await replica(redis.url.replace('//', '//proxy:a-password@'));
    const calls: Call[] = [
      [
        'conversations',
        'create',
        ['ann', { id: 'c', metadata: {}, items: [{ content: 'x' }] }, nowMs, untilMs],
      ],
      ['responses', 'keep', [{ owner: 'ann', request: '{}', response: body('1', 'x'), nowMs, untilMs }]],
      ['conversations', 'list', ['ann', 'c', page]],
      ['responses', 'remove', ['ann', '1']],
      ['conversations', 'remove', ['ann', 'c']],
    ];
    for (const each of calls) await one.call(...each);
    await one.sweep();
    expect(one.failures()).toBe(0);
    expect(one.up()).toBe(true);
  });

  test('lose no items that both add to a conversation at the same time', async () => {
    await using redis = await TestRedis.start();
    using one = await replica(redis.url);
    using other = await replica(redis.url);
    await one.call('conversations', 'create', ['ann', { id: 'c', metadata: {}, items: [] }, nowMs, untilMs]);
    const said = Array.from({ length: 60 }, (_, n) => `${n}`);
    await Promise.all(
      said.map((content, n) =>
        [one, other][n % 2]!.call('conversations', 'add', ['ann', 'c', [{ content }], nowMs, untilMs]),
      ),
    );
    for (const each of [one, other]) {
      const { items } = (await each.call('conversations', 'said', ['ann', 'c'])) as { items: string };
      const contents = (JSON.parse(items) as { content: string }[]).map(({ content }) => content);
      expect(contents.toSorted()).toEqual(said.toSorted());
    }
  });

  test('wait only once for a server that hangs, and send it everything when it is back', async () => {
    await using redis = await TestRedis.start();
    using cable = new Cable(redis.port);
    using one = await replica(cable.url);
    using other = await replica(redis.url);
    const keep = (id: string) =>
      [
        'responses',
        'keep',
        [{ owner: 'ann', request: '{}', response: body(id, id), nowMs, untilMs }],
      ] as const;
    await one.call(...keep('before'));
    cable.cut();
    const waitedMs: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const beganMs = performance.now();
      await one.call(...keep(`${n}`));
      expect(await one.call('responses', 'show', ['ann', 'before', nowMs])).toBeDefined();
      waitedMs.push(performance.now() - beganMs);
    }
    expect(waitedMs.filter((ms) => ms > 200).length).toBeLessThanOrEqual(1);
    await one.call('responses', 'remove', ['ann', 'before']);
    expect(one.up()).toBe(false);
    cable.mend();
    await until('the changes to be shared', async () => {
      const shown = await Promise.all(
        ['before', '0', '4'].map((id) => other.call('responses', 'show', ['ann', id, nowMs])),
      );
      return shown.map((each) => each !== undefined).join() === 'false,true,true';
    });
  });
});
