/** The end of a request: none of its record, its sinks and what it held may fail because of another. */
import { describe, expect, test } from 'bun:test';
import type { LogRecord } from '../../src/logs/record.ts';
import type { RecordSink } from '../../src/pipeline/streams/sinks.ts';
import { systemClock } from '../../src/clock.ts';
import { ProxyError } from '../../src/errors.ts';
import { Defects } from '../../src/pipeline/streams/defects.ts';
import { Exchange } from '../../src/pipeline/record/exchange.ts';
import { understood } from '../../src/pipeline/streams/reading.ts';
import { Sinks } from '../../src/pipeline/streams/sinks.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

class Odd extends Error {}
const fails = (): never => {
  throw new Odd('secret words');
};

function exchangeOf(sinks: Record<string, RecordSink>) {
  const told: string[] = [];
  const defects = new Defects((message) => void told.push(message));
  const named = Object.entries(sinks).map(([name, take]) => ({ name, keeps: name !== 'metrics', take }));
  const all = new Sinks(named, defects);
  const begin = () =>
    new Exchange('r', 'chat', null, {
      clock: systemClock,
      sinks: all,
      defects,
      price: fails,
      maxContent: 100,
      over: () => undefined,
      used: () => undefined,
    });
  return { begin, told, errors: all.errors };
}

const ANSWER = { usage: undefined, finish: 'stop', bytes: 0, text: () => undefined, malformed: 0 };
const success = { outcome: 'success', status: 200 } as const;

describe('Exchange.finish()', () => {
  test('passes the record to every sink, even if another one throws', () => {
    const records: LogRecord[] = [];
    const { begin, told, errors } = exchangeOf({ metrics: fails, log: (record) => records.push(record) });
    expect([begin().finish(success), begin().finish(success)]).toEqual([true, true]);
    expect(records).toHaveLength(2);
    expect([...errors]).toEqual([
      ['metrics', 2],
      ['log', 0],
    ]);
    // Each place is reported once, without the message of the error.
    expect(told).toEqual([expect.stringContaining('the sink metrics')]);
    expect(told[0]).not.toContain('secret');
  });

  test.each([
    ['throws', fails],
    ['reports that it lost the record', () => false],
  ])('returns false if the log %s', (_, log) => {
    expect(exchangeOf({ log }).begin().finish(success)).toBe(false);
  });

  test('counts a sink that fails asynchronously', async () => {
    const { begin, errors, told } = exchangeOf({ custom: () => Promise.reject(new Odd('late')) });
    begin().finish(success);
    await Bun.sleep(0);
    expect([errors.get('custom'), told.length]).toEqual([1, 1]);
  });

  test('runs all its release callbacks once, even if some fail', () => {
    const { begin, told } = exchangeOf({ log: fails });
    const exchange = begin();
    const released: string[] = [];
    exchange.finally(() => released.push('first'));
    exchange.finally(fails);
    exchange.finally(() => released.push('last'));
    exchange.finish({ ...success, answer: { ...ANSWER, text: fails } });
    exchange.finish(success);
    expect(released).toEqual(['first', 'last']);
    expect(told).toHaveLength(3);
  });

  test('writes a record without the parts that could not be made', () => {
    const records: LogRecord[] = [];
    const { begin } = exchangeOf({ log: (record) => records.push(record) });
    const exchange = begin();
    exchange.finish({ ...success, answer: { ...ANSWER, text: fails, bytes: 5 } });
    expect(records[0]).toMatchObject({ outcome: 'success', cost: null, omitted: ['response'] });
  });
});

test('understood() turns an unexpected error into a malformed answer, and reports it once', () => {
  const told: string[] = [];
  const defects = new Defects((message) => void told.push(message));
  const thrown = expect.objectContaining({ fault: 'malformed', target: 'a/m', cause: expect.any(Odd) });
  for (let n = 0; n < 3; n += 1) expect(() => understood('a/m', defects, fails)).toThrow(thrown);
  expect(told).toEqual([expect.stringMatching(/^Cannot read an answer: Error; reported once\n +at /)]);
  const known = new ProxyError('truncated', 'x');
  expect(() =>
    understood('a/m', defects, () => {
      throw known;
    }),
  ).toThrow(known);
  expect(told).toHaveLength(1);
});

test('Defects survives a reporter that throws', () => {
  const defects = new Defects(fails);
  expect(() => defects.tell('x', new Odd())).not.toThrow();
});

test('a sink that throws is counted in the metrics, without an effect on answers and records', async () => {
  await using provided = upstream(({ text }) =>
    text.includes('"stream":true') ? sse(chatStream(['hi'])) : completion('hi'),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] }, {}, [fails]);
  for (const stream of [false, true, false]) {
    const reply = await proxy.post('/v1/chat/completions', { ...CHAT, stream });
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('hi')]);
  }
  expect(await proxy.recorded(3)).toHaveLength(3);
  const page = await (await fetch(`${proxy.url}/metrics`)).text();
  expect(page).toContain('llmproxy_sink_errors_total{sink="custom_1"} 3');
  expect(page).toContain('llmproxy_sink_errors_total{sink="log"} 0');
  expect(page).toMatch(/^llmproxy_in_flight 0$/m);
  const json = await (
    await fetch(`${proxy.url}/metrics`, { headers: { accept: 'application/json' } })
  ).text();
  expect(json).toContain('llmproxy_sink_errors_total');
  expect(proxy.problems).toEqual([expect.stringContaining('the sink custom_1')]);
});
