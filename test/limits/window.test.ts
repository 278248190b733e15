/** Tests when windows begin and end against another implementation: zones.json was made with Python's zoneinfo. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { offsetAt, toZone } from '../../src/config/time-zone.ts';
import { rolls, STEPS, windowOf } from '../../src/limits/window.ts';
import zones from './zones.json';

/** Zone, time, then the beginning and the end of its day, week and month, all in seconds since 1970. */
type Case = [zone: string, at: number, ...spans: [start: number, end: number][]];
const CASES = zones as unknown as Case[];
const ZONES = [...new Set(CASES.map(([zone]) => zone))];
const PERIODS = ['day', 'week', 'month'] as const;

describe('windowOf() agrees with the calendar of', () => {
  test.each(ZONES)('%s', (zone) => {
    for (const [, at, ...spans] of CASES.filter(([name]) => name === zone)) {
      for (const [index, per] of PERIODS.entries()) {
        const [start, end] = spans[index]!;
        const slice = windowOf({ per, window: 'calendar', time_zone: zone }).slice(at * 1000);
        expect([zone, at, per, slice.startMs / 1000, slice.endMs / 1000]).toEqual([
          zone,
          at,
          per,
          start,
          end,
        ]);
      }
    }
  });
});

/** Times in these years, many of them near clock changes. */
const moments = fc.oneof(
  fc.integer({ min: Date.UTC(2023, 0), max: Date.UTC(2032, 0) }),
  fc
    .tuple(fc.constantFrom(...CASES), fc.integer({ min: -7_200_000, max: 7_200_000 }))
    .map(([[, at], offset]) => at * 1000 + offset),
);
const periods = fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month');

test('each time is in exactly one slice of a calendar window, and the next slice begins where it ends', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), periods, moments, fc.nat(10_000_000), (zone, per, at, later) => {
      const limit = { per, window: 'calendar', time_zone: zone } as const;
      const window = windowOf(limit);
      const slice = window.slice(at);
      expect(slice.startMs).toBeLessThanOrEqual(at);
      expect(slice.endMs).toBeGreaterThan(at);
      expect(window.forgets(slice)).toBe(slice.endMs);
      // Earlier calls make no difference.
      window.slice(at + later);
      expect(window.slice(at)).toEqual(slice);
      for (const within of [slice.startMs, slice.endMs - 1])
        expect(windowOf(limit).slice(within)).toEqual(slice);
      expect(windowOf(limit).slice(slice.endMs).startMs).toBe(slice.endMs);
      expect(windowOf(limit).slice(slice.startMs - 1).endMs).toBe(slice.startMs);
    }),
    { numRuns: 2_000 },
  );
});

test('a rolling window forgets usage after its length, or at most one step later', () => {
  const lengths = { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5, week: 6048e5, month: 2592e6 };
  fc.assert(
    fc.property(periods, moments, (per, at) => {
      const window = windowOf({ per, window: 'rolling' });
      const heldMs = window.forgets(window.slice(at)) - at;
      const length = lengths[per as keyof typeof lengths];
      expect(heldMs).toBeGreaterThanOrEqual(length);
      expect(heldMs).toBeLessThanOrEqual(length + length / STEPS + 1e-3);
    }),
  );
});

test('a total is never forgotten', () => {
  const window = windowOf({ per: 'total' });
  expect(window.slice(1)).toEqual(window.slice(Date.UTC(2999, 1)));
  expect(window.forgets(window.slice(1))).toBe(Infinity);
});

test('windows up to an hour roll by default', () => {
  const shown = (['second', 'minute', 'hour', 'day', 'week', 'month', 'total'] as const).map((per) =>
    rolls({ per }),
  );
  expect(shown).toEqual([true, true, true, false, false, false, false]);
});

test('toZone() returns the first time at which a clock shows the local time or is put forward past it', () => {
  const at = (text: string, zone: string) => new Date(toZone(Date.parse(`${text}Z`), zone)).toISOString();
  expect(at('2026-03-29T02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
  expect(at('2026-10-25T02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
  expect(at('2026-04-24T00:00:00', 'Africa/Cairo')).toBe('2026-04-23T22:00:00.000Z');
  expect(offsetAt(Date.parse('2026-04-23T22:00:00Z'), 'Africa/Cairo')).toBe(3 * 36e5);
  expect(at('2011-12-30T12:00:00', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z');
});
