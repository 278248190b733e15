import { describe, expect, test } from 'bun:test';
import { momentFrom, momentUntil, timeOf } from '../../src/config/moment.ts';
import { isTimeZone } from '../../src/config/time-zone.ts';

const nowMs = Date.parse('2026-11-23T10:30:00Z');
const iso = (ms: number) => (Number.isNaN(ms) ? 'none' : new Date(ms).toISOString());

describe('momentFrom() and momentUntil()', () => {
  test.each([
    ['2026-11-23', 'UTC', '2026-11-23T00:00:00.000Z', '2026-11-23T23:59:59.999Z'],
    ['2026-11-23', 'Europe/Berlin', '2026-11-22T23:00:00.000Z', '2026-11-23T22:59:59.999Z'],
    ['today', 'America/New_York', '2026-11-23T05:00:00.000Z', '2026-11-24T04:59:59.999Z'],
    ['yesterday', 'UTC', '2026-11-22T00:00:00.000Z', '2026-11-22T23:59:59.999Z'],
    // Days of 23 and of 25 hours.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29T21:59:59.999Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25T22:59:59.999Z'],
    ['2026-11-23T10:00', 'UTC', '2026-11-23T10:00:00.000Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00', 'Asia/Tokyo', '2026-11-23T01:00:00.000Z', '2026-11-23T01:00:00.000Z'],
    ['2026-11-23T10:00:00+02:00', 'Asia/Tokyo', '2026-11-23T08:00:00.000Z', '2026-11-23T08:00:00.000Z'],
    ['7d', 'UTC', '2026-11-16T10:30:00.000Z', '2026-11-16T10:30:00.000Z'],
    ['12h', 'UTC', '2026-11-22T22:30:00.000Z', '2026-11-22T22:30:00.000Z'],
    ['30m', 'UTC', '2026-11-23T10:00:00.000Z', '2026-11-23T10:00:00.000Z'],
    ['2w', 'UTC', '2026-11-09T10:30:00.000Z', '2026-11-09T10:30:00.000Z'],
    ['month', 'Europe/Berlin', '2026-10-31T23:00:00.000Z', '2026-11-30T22:59:59.999Z'],
    ['2026-12', 'UTC', '2026-12-01T00:00:00.000Z', '2026-12-31T23:59:59.999Z'],
    ['2024-02', 'UTC', '2024-02-01T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
    ['2026-13', 'UTC', 'none', 'none'],
    ['2026-02-30', 'UTC', 'none', 'none'],
    ['7', 'UTC', 'none', 'none'],
    ['soon', 'UTC', 'none', 'none'],
  ])('read %s in %s', (text, timeZone, from, until) => {
    expect([iso(momentFrom(text, { nowMs, timeZone })), iso(momentUntil(text, { nowMs, timeZone }))]).toEqual(
      [from, until],
    );
  });

  test('refuse an unknown time zone', () => {
    expect(() => momentFrom('today', { nowMs, timeZone: 'Mars/Olympus' })).toThrow(RangeError);
    expect([isTimeZone('Mars/Olympus'), isTimeZone('Europe/Berlin')]).toEqual([false, true]);
  });
});

describe('timeOf()', () => {
  test.each([
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23 10:00:00,123', '2026-11-23T10:00:00.123Z'],
    ['2026-11-23T10:00:00.5+0200', '2026-11-23T08:00:00.500Z'],
  ])('reads %s as UTC', (text, expected) => {
    expect(iso(timeOf(text))).toBe(expected);
  });

  test.each([
    '',
    '2026-02-30',
    '2026-13-01',
    '2026-02-30T10:00:00Z',
    '23.11.2026',
    '2026-11-23T25:00:00Z',
    'now',
  ])('refuses %p', (text) => {
    expect(timeOf(text)).toBeNaN();
  });
});
