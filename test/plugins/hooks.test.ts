/** Plugin hooks, called without a proxy. */
import { describe, expect, test } from 'bun:test';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { Hooks } from '../../src/plugins/hooks.ts';
import { Plugins } from '../../src/plugins/loaded.ts';
import { ProxyError } from '../../src/errors.ts';
import { FakeClock } from '../helpers/clock.ts';
import { logRecord } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

const FACTS = { id: 'r', key: null, user: null, model: 'm', endpoint: 'chat', stream: false } as const;
const LIMIT_MS = 100;

function hooked(...all: Plugin[]) {
  const clock = new FakeClock();
  const failures: string[] = [];
  let dropped = 0;
  const loaded = all.map((hooks, index) => ({
    name: `p${index}`,
    path: '',
    folder: '',
    providers: [],
    hooks,
  }));
  const hooks = new Hooks(new Plugins(loaded, { limitMs: LIMIT_MS, env: {} }), {
    clock,
    failed: (plugin, what, thrown) => void failures.push(`${plugin}: ${what}: ${(thrown as Error).message}`),
    dropped: () => (dropped += 1),
  });
  return { hooks, clock, failures, dropped: () => dropped };
}

const never = () => new Promise<void>(() => undefined);

describe('Hooks', () => {
  test('run in order, each with the result of the one before', async () => {
    const { hooks } = hooked(
      { onRequest: async (request) => void (request.body = { ...request.body, a: 1 }) },
      {},
      { onRequest: (request) => void (request.body.b = request.body.a) },
    );
    const { signal } = new AbortController();
    expect(await hooks.request({ c: 0 }, FACTS, signal)).toEqual({ c: 0, a: 1, b: 1 });
    expect([hooks.hasRequests, hooks.hasAnswers, hooks.hasRecords]).toEqual([true, false, false]);
  });

  test('fail at a timeout, at which their signal aborts', async () => {
    let told: AbortSignal | undefined;
    const { hooks, clock, failures } = hooked({
      onRequest(_, { signal }) {
        told = signal;
        return never();
      },
    });
    const asked = hooks.request({}, FACTS, new AbortController().signal);
    clock.advance(LIMIT_MS);
    const error = await asked.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ fault: 'plugin', message: 'Cannot answer the request: plugin p0 failed' });
    expect(told?.aborted).toBe(true);
    expect(failures).toEqual(['p0: Cannot do onRequest: it took longer than 100 ms (plugin_timeout)']);
  });

  test('end when the client disconnects, without a failure', async () => {
    const { hooks, failures } = hooked({ onAnswer: never });
    const client = new AbortController();
    const gone = new ProxyError('client_abort', 'gone');
    const asked = hooks.answer({ status: 200, body: {} }, FACTS, client.signal);
    client.abort(gone);
    expect(await asked.catch((thrown: unknown) => thrown)).toBe(gone);
    expect(failures).toEqual([]);
  });

  test('can refuse a request with a ProxyError', async () => {
    const refusal = new ProxyError('content_policy', 'Cannot send it');
    const { hooks, failures } = hooked({ onRequest: () => Promise.reject(refusal) });
    const asked = hooks.request({}, FACTS, new AbortController().signal);
    expect(await asked.catch((thrown: unknown) => thrown)).toBe(refusal);
    expect(failures).toEqual([]);
  });
});

describe('onRecord', () => {
  test('receives records one after the other, as copies with parsed bodies', async () => {
    const seen: unknown[] = [];
    let running = 0;
    const { hooks } = hooked({
      async onRecord(record) {
        running += 1;
        await Bun.sleep(1);
        seen.push([running, record.id, record.request]);
        (record.attempt_log as unknown[]).push('mine');
        running -= 1;
      },
    });
    const records = ['a', 'b'].map((id) => logRecord({ id, request: '{"model":"m"}' }));
    for (const record of records) hooks.record(record);
    expect(seen).toEqual([]);
    await hooks.close();
    expect(seen).toEqual([
      [1, 'a', { model: 'm' }],
      [1, 'b', { model: 'm' }],
    ]);
    expect(records.map(({ attempt_log }) => attempt_log.includes('mine' as never))).toEqual([false, false]);
  });

  test('has a bounded queue: records beyond it are dropped, counted and reported', async () => {
    let taken = 0;
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const { hooks, failures, dropped } = hooked({
      async onRecord() {
        taken += 1;
        await gate;
      },
    });
    hooks.record(logRecord());
    await until('the first', () => taken, { is: 1 });
    for (let n = 0; n < 1_200; n += 1) hooks.record(logRecord());
    expect(dropped()).toBe(200);
    expect(failures[0]).toBe(
      'p0: Cannot take all records: it is slower than records arrive, and some are dropped',
    );
    go();
    await hooks.close();
    expect(taken).toBe(1_001);
  });

  test('counts large bodies by their size', () => {
    const { hooks, dropped } = hooked({ onRecord: never });
    const request = JSON.stringify('x'.repeat(20 * 1024 ** 2));
    for (let n = 0; n < 5; n += 1) hooks.record(logRecord({ request }));
    expect(dropped()).toBe(2);
  });

  test('goes on after a hook that throws or hangs, and close() does not wait for ever', async () => {
    const seen: string[] = [];
    const { hooks, clock, failures } = hooked({
      onRecord({ id }) {
        seen.push(id);
        if (id === 'a') throw new Error('no');
        return never();
      },
    });
    for (const id of ['a', 'b', 'c']) hooks.record(logRecord({ id }));
    await until('the second', () => seen.length, { is: 2 });
    clock.advance(LIMIT_MS);
    await until('the third', () => seen.length, { is: 3 });
    expect(failures).toEqual([
      'p0: Cannot do onRecord: no',
      'p0: Cannot do onRecord: it took longer than 100 ms (plugin_timeout)',
    ]);
    const closed = hooks.close();
    clock.advance(LIMIT_MS);
    await closed;
  });
});
