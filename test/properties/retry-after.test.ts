import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { retryAfterMs } from '../../src/wire/retry-after.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-23T09:00:00.250Z');

const told = (headers: Record<string, string>, body?: string) =>
  retryAfterMs(new Headers(headers), body, NOW);
const atMost = (ms: number) => Math.min(DAY, Math.max(0, ms));

/** Times from two days before to two days after now, in milliseconds since the epoch. */
const moment = fc.integer({ min: NOW - 2 * DAY, max: NOW + 2 * DAY });
const count = fc.oneof(fc.nat(100), fc.nat(1e6));
/** A number as headers contain it, with and without a fraction. */
const decimal = fc.oneof(
  count.map(String),
  fc.tuple(count, fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
);

/** A duration in Go's format, with at least one unit, and its length. */
const duration = fc
  .record(
    {
      h: fc.nat(9),
      m: fc.nat(59),
      s: fc.oneof(
        fc.nat(59),
        fc.nat(600).map((n) => n / 10),
      ),
      ms: fc.nat(999),
    },
    { requiredKeys: [] },
  )
  .filter((units) => Object.keys(units).length > 0)
  .map(({ h, m, s, ms }) => ({
    text: Object.entries({ h, m, s, ms })
      .map(([unit, n]) => (n === undefined ? '' : `${n}${unit}`))
      .join(''),
    ms: (h ?? 0) * 3_600_000 + (m ?? 0) * 60_000 + (s ?? 0) * 1_000 + (ms ?? 0),
  }));

const LIMITS = [
  ['x-ratelimit-remaining', 'x-ratelimit-reset'],
  ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ['anthropic-ratelimit-requests-remaining', 'anthropic-ratelimit-requests-reset'],
  ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-input-tokens-reset'],
] as const;
const limit = fc.constantFrom(...LIMITS);

describe('retryAfterMs()', () => {
  test('reads seconds, and milliseconds from the header for these', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        expect(told({ 'retry-after': text })).toBeCloseTo(atMost(Number(text) * 1_000), 6);
        expect(told({ 'retry-after-ms': text })).toBeCloseTo(atMost(Number(text)), 6);
      }),
    );
  });

  test('reads a date as the time until then, and as no wait if it is in the past', () => {
    fc.assert(
      fc.property(moment, (ms) => {
        const seconds = Math.floor(ms / 1_000) * 1_000;
        expect(told({ 'retry-after': new Date(ms).toUTCString() })).toBe(atMost(seconds - NOW));
      }),
    );
  });

  test('uses the larger of the two headers, and prefers either to any other source', () => {
    const body = '{"error":{"details":[{"retryDelay":"7s"}],"message":"try again in 8s"}}';
    fc.assert(
      fc.property(count, count, duration, (seconds, ms, { text }) => {
        const others = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': text };
        const both = { 'retry-after': `${seconds}`, 'retry-after-ms': `${ms}` };
        expect(told({ ...others, ...both }, body)).toBe(atMost(Math.max(seconds * 1_000, ms)));
        expect(told({ ...others, 'retry-after-ms': `${ms}` }, body)).toBe(atMost(ms));
      }),
    );
  });

  test('reads the reset duration of an exhausted limit, and of no other', () => {
    fc.assert(
      fc.property(limit, duration, fc.integer({ min: 1 }), ([left, reset], { text, ms }, some) => {
        expect(told({ [left]: '0', [reset]: text })).toBeCloseTo(atMost(ms), 6);
        expect(told({ [left]: `${some}`, [reset]: text })).toBeUndefined();
        expect(told({ [reset]: text })).toBeUndefined();
      }),
    );
  });

  test('reads a reset as remaining seconds, as seconds or milliseconds since the epoch, and as a date', () => {
    fc.assert(
      fc.property(limit, count, moment, ([left, reset], seconds, ms) => {
        const until = (text: string) => told({ [left]: '0', [reset]: text });
        expect(until(`${seconds}`)).toBe(atMost(seconds * 1_000));
        expect(until(`${Math.floor(ms / 1_000)}`)).toBe(atMost(Math.floor(ms / 1_000) * 1_000 - NOW));
        expect(until(`${ms}`)).toBe(atMost(ms - NOW));
        expect(until(new Date(ms).toISOString())).toBe(atMost(ms - NOW));
      }),
    );
  });

  test('uses the longest reset of several exhausted limits', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: LIMITS.length }), (spans) => {
        const headers = spans.flatMap(({ text }, n) => [
          [LIMITS[n]![0], '0'],
          [LIMITS[n]![1], text],
        ]);
        const longest = Math.max(...spans.map(({ ms }) => ms));
        expect(told(Object.fromEntries(headers))).toBeCloseTo(atMost(longest), 6);
      }),
    );
  });

  test('reads Gemini’s RetryInfo at any place among the details', () => {
    const other = fc.constantFrom({}, { '@type': 'x' }, null, 7, { reason: 'RATE_LIMIT' });
    fc.assert(
      fc.property(
        fc.array(other),
        fc.array(other),
        decimal,
        fc.boolean(),
        (before, after, seconds, listed) => {
          const details = [...before, { retryDelay: `${seconds}s` }, ...after];
          const body = JSON.stringify(listed ? [{ error: { details } }] : { error: { details } });
          expect(told({}, body)).toBeCloseTo(atMost(Number(seconds) * 1_000), 6);
        },
      ),
    );
  });

  test('reads "try again in ..." with one unit from a message', () => {
    const unit = fc.constantFrom(['ms', 1], ['s', 1_000], [' seconds', 1_000], ['m', 60_000]) as fc.Arbitrary<
      [string, number]
    >;
    fc.assert(
      fc.property(decimal, unit, (number, [name, ms]) => {
        const message = `Rate limit reached. Please try again in ${number}${name}. Visit https://x.test`;
        expect(told({}, JSON.stringify({ error: { message } }))).toBeCloseTo(atMost(Number(number) * ms), 6);
      }),
    );
  });

  test('reads "try again in ..." with any duration from a message', () => {
    fc.assert(
      fc.property(duration, ({ text, ms }) => {
        const message = `Rate limit reached. Please try again in ${text}. Visit https://x.test`;
        expect(told({}, JSON.stringify({ error: { message } }))).toBeCloseTo(atMost(ms), 6);
      }),
    );
  });

  test('returns a valid wait of at most a day, or nothing, for any garbage', () => {
    const scrap = fc.constantFrom(
      ...'0 9 -1 . , e NaN Infinity 1e999 h m s ms Z GMT 2026 Mon Nov : T + '.split(' '),
    );
    const scraps = fc.array(fc.oneof(scrap, fc.constant('9'.repeat(400)))).map((parts) => parts.join(''));
    const value = fc.oneof(
      scraps,
      fc.string(),
      duration.map(({ text }) => text),
      decimal,
    );
    const name = fc.constantFrom('retry-after', 'retry-after-ms', ...LIMITS.flat());
    const words = value.map((text) => `{"error":{"details":[{"retryDelay":${JSON.stringify(text)}}]}}`);
    const body = fc.oneof(
      words,
      value.map((text) => `retry after ${text}`),
      fc.json().map((json) => json.replace(/"[^"]*"/, '"retryDelay"')),
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), body, (headers, text) => {
        const printable = Object.entries(headers).filter(([, each]) => /^[\x20-\x7e]*$/.test(each));
        const ms = told(Object.fromEntries(printable), text);
        expect(ms === undefined || (ms >= 0 && ms <= DAY)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
