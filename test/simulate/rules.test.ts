import { describe, expect, test } from 'bun:test';
import type { LogRecord } from '../../src/logs/record.ts';
import type { ClassName } from './classes.ts';
import type { KindName } from './faults.ts';
import type { Outage } from './outages.ts';
import { logRecord } from '../helpers/log-record.ts';
import { outage, stage } from './stage.ts';

const DEADLINE_MS = 600_000;

describe('the model of the simulation', () => {
  test('rule 1 is violated if a request fails although a target is known to be good', () => {
    const { exchange, small, ask, fail, broken } = stage();
    exchange(small);
    fail(ask());
    expect(broken()).toContain(1);
  });

  test('rule 1 is kept if the target has shown a fault since, or was never used', () => {
    const asked = stage();
    asked.exchange(asked.small);
    asked.exchange(asked.small, outage('500'));
    asked.fail(asked.ask());
    expect(asked.broken()).not.toContain(1);
    const fresh = stage();
    fresh.fail(fresh.ask());
    expect(fresh.broken()).not.toContain(1);
  });

  test.each<[KindName, string, ClassName, number, covers: boolean]>([
    ['404 path', 'small', 'count', 0, false],
    ['403 path', 'small', 'messages streamed', 0, false],
    ['404 model', 'small', 'chat', 0, false],
    ['402 request', 'small', 'chat', 0, false],
    ['403 model', 'large', 'messages', 0, false],
    ['500', 'large', 'messages', 0, false],
    ['silent', 'large', 'messages', 0, false],
    ['401', 'small', 'messages', 1, false],
    ['402 account', 'large', 'messages', 1, false],
    ['429', 'small', 'messages', 1, false],
    ['500', 'small', 'count', 0, true],
    ['404 path', 'small', 'messages', 0, true],
    ['401', 'large', 'count', 0, true],
    ['429', 'small', 'count', 0, true],
    ['refused', 'large', 'messages', 0, true],
  ])(
    'rule 2: %s at %s (%s, key %d) excuses the small model’s messages: %p',
    (kind, name, sort, key, covers) => {
      const { exchange, small, large, behind, ask, call, broken } = stage([], 2);
      exchange(small);
      exchange(name === 'small' ? small : large, outage(kind), sort, key);
      call(ask(), behind);
      expect(broken().includes(2)).toBe(!covers);
    },
  );

  test.each<[string, Partial<Outage>, KindName, soonMs: number, lateMs: number]>([
    ['15 s', {}, '503', 14_000, 16_000],
    ['15 s, counted from its last flap,', { flapMs: 20_000 }, '503', 14_000, 16_000],
    ['its Retry-After and 15 s', { retryAfterMs: 40_000 }, '429', 54_000, 56_000],
    ['a minute and 15 s, despite a longer Retry-After,', { retryAfterMs: 86_400_000 }, '429', 74_000, 76_000],
  ])(
    'rule 3 is violated if the best target is not used %s after its recovery',
    (_, given, kind, soonMs, lateMs) => {
      const trouble = outage(kind, { untilMs: 100_000, ...given });
      const { clock, exchange, small, behind, ask, call, model, broken } = stage([trouble]);
      clock.nowMs = 99_970;
      exchange(small, trouble);
      const until = (ms: number) => {
        for (; clock.nowMs <= 99_990 + ms; clock.nowMs += 900) {
          const request = ask();
          model.book.ends(call(request, behind), 'fine');
          model.finished(request, undefined);
        }
      };
      until(soonMs);
      expect(broken()).not.toContain(3);
      until(lateMs + 900);
      expect(broken()).toContain(3);
    },
  );

  test('rule 4 is violated if all requests fail while nothing was sent for seconds', () => {
    const { clock, exchange, small, ask, fail, broken } = stage();
    exchange(small, outage('503'));
    clock.nowMs += 2_000;
    fail(ask([small]));
    expect(broken()).not.toContain(4);
    clock.nowMs += 2_000;
    fail(ask([small]));
    expect(broken()).toContain(4);
  });

  test('rule 4 is kept while a trial is in flight, or a Retry-After of up to a minute is pending', () => {
    const busy = stage();
    busy.call(busy.ask([busy.small]), busy.small, outage('silent'));
    busy.clock.nowMs += 30_000;
    busy.fail(busy.ask([busy.small]));
    expect(busy.broken()).not.toContain(4);
    const told = stage();
    told.exchange(told.small, outage('429', { retryAfterMs: 3_600_000 }));
    told.clock.nowMs += 50_000;
    told.fail(told.ask([told.small]));
    expect(told.broken()).not.toContain(4);
    told.clock.nowMs += 15_000;
    told.fail(told.ask([told.small]));
    expect(told.broken()).toContain(4);
  });

  test.each([
    ['503', 'alone', 500, true],
    ['503', 'alone', 1_000, false],
    ['503', 'beside a good target', 1_000, true],
    ['503', 'beside a good target', 3_000, false],
    ['cut', 'alone', 500, false],
    ['cut', 'beside a good target', 500, true],
    ['cut', 'beside a good target', 1_000, false],
    ['cut early', 'alone', 500, true],
  ] as const)(
    'rule 5 for a target with %s %s, tried every %d ms, is violated: %p',
    (kind, how, everyMs, breaks) => {
      const trouble = outage(kind);
      const { clock, exchange, small, behind, ask, call, model, broken } = stage([trouble]);
      if (how !== 'alone') exchange(behind);
      for (let count = 0; count < 60; count += 1) {
        const request = ask();
        model.book.ends(call(request, small, trouble), 'fault');
        model.finished(request, undefined);
        clock.nowMs += everyMs;
      }
      expect(broken().includes(5)).toBe(breaks);
    },
  );

  test('rule 5 is violated if a target is used before its Retry-After has passed', () => {
    const trouble = outage('429', { retryAfterMs: 20_000 });
    const { clock, exchange, small, ask, call, broken } = stage([trouble]);
    exchange(small, trouble);
    clock.nowMs += 15_000;
    call(ask([small]), small, trouble);
    expect(broken()).toContain(5);
  });

  const DONE = 'data: [DONE]\n\n';
  const ERROR = 'data: {"error":{"message":"cut"}}\n\n';
  const WORDS = (id: string, text: string) =>
    `data: ${JSON.stringify({ id, choices: [{ delta: { content: text } }] })}\n\n`;

  test.each<[string, Partial<LogRecord>, (id: string) => string, KindName | undefined, breaks: boolean]>([
    ['complete', {}, (id) => WORDS(id, `To ${id}: it was a dark and stormy night.`) + DONE, undefined, false],
    ['cut with an error', { outcome: 'truncated' }, (id) => WORDS(id, `To ${id}:`) + ERROR, 'cut', false],
    ['cut without an error', { outcome: 'truncated' }, (id) => WORDS(id, `To ${id}:`), 'cut', true],
    [
      'cut and marked as complete',
      { outcome: 'truncated' },
      (id) => WORDS(id, `To ${id}:`) + DONE,
      'cut',
      true,
    ],
    [
      'an error and marked as complete',
      { outcome: 'truncated' },
      (id) => WORDS(id, `To ${id}:`) + ERROR + DONE,
      'cut',
      true,
    ],
    [
      'cut and a success',
      {},
      (id) => WORDS(id, `To ${id}: it was a dark and stormy night.`) + DONE,
      'cut',
      true,
    ],
    ['missing some text', {}, (id) => WORDS(id, `To ${id}: it was`) + DONE, undefined, true],
    ['sent with another status', { status: 502 }, (id) => WORDS(id, `To ${id}:`) + ERROR, 'cut', true],
  ])('rule 6 for a stream that is %s', (_, given, bodyOf, kind, breaks) => {
    const { ask, call, model, small, broken } = stage();
    const request = ask([small], 'chat streamed');
    model.book.ends(call(request, small, kind && outage(kind)), kind ? 'fault' : 'fine');
    const record = logRecord({ id: request.id, outcome: 'success', status: 200, latency_ms: 0, ...given });
    const seen = { status: 200, body: bodyOf(request.id), headersMs: 0, endedMs: 0, broken: undefined };
    model.settled({ request, seen, records: [record] }, DEADLINE_MS);
    expect(broken().includes(6)).toBe(breaks);
  });

  test.each([0, 2])('rule 6 is violated by %d records of a request', (count) => {
    const { ask, model, broken } = stage();
    const request = ask();
    const records = Array.from({ length: count }, () => logRecord({ id: request.id }));
    const seen = { status: 503, body: '{"error":{}}', headersMs: 0, endedMs: 0, broken: undefined };
    model.settled({ request, seen, records }, DEADLINE_MS);
    expect(broken()).toEqual([6]);
  });

  test('rule 6 is violated by an answer that begins after its deadline, and rule 7 by an internal error', () => {
    const { ask, model, broken } = stage();
    const request = ask();
    const record = logRecord({
      id: request.id,
      outcome: 'error',
      status: 500,
      fault: 'internal',
      latency_ms: 0,
    });
    const late = {
      status: 500,
      body: '{"error":{}}',
      headersMs: 605_000,
      endedMs: 605_000,
      broken: undefined,
    };
    model.settled({ request, seen: late, records: [record] }, DEADLINE_MS);
    expect(broken().toSorted()).toEqual([6, 7]);
  });
});
