import { expect, test } from 'bun:test';
import { atOnce } from '../../src/turns.ts';
import { areLong, eventJson, readAhead } from '../../src/wire/event-json.ts';
import { longestShare } from '../helpers/steps.ts';

const fields = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n])));

test('readAhead() keeps short events as they are and parses long ones, in order', () => {
  const long = fields(100_000);
  const events = [{ data: '{"a":1}' }, { event: 'x', data: long }, { data: `{${'x'.repeat(200_000)}` }];
  expect([areLong(events.slice(0, 1)), areLong(events)]).toEqual([false, true]);
  const read = atOnce(readAhead(events));
  expect(read[0]).toBe(events[0]!);
  expect(read.map(({ event, data }) => ({ event, data }))).toEqual(
    events.map(({ data, ...event }) => ({ event: undefined, ...event, data })),
  );
  const [short, , broken] = read.map(eventJson);
  expect([short, broken]).toEqual([{ a: 1 }, undefined]);
  expect(JSON.stringify(eventJson(read[1]!)) === long).toBe(true);
});

test('readAhead() works in small steps', () => {
  const events = [{ data: fields(100_000) }, { data: fields(100_000) }];
  expect(longestShare(() => readAhead(events))).toBeLessThan(1 / 2);
});
