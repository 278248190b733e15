import { describe, expect, test } from 'bun:test';
import { factsOf } from '../../src/export/facts.ts';
import { endOf, filterOf, timeOf } from '../../src/export/select.ts';

const head = {
  ts: '2026-11-23T10:00:00.000Z',
  model: 'gpt-4o-Mini',
  endpoint: 'chat',
  outcome: 'success',
  status: 200,
  finish: 'stop',
};

describe('filterOf() with successfulOnly', () => {
  test.each([
    [{}, undefined],
    [{ finish: 'tool_calls' }, undefined],
    [{ finish: 'END_TURN' }, undefined],
    [{ status: 206 }, undefined],
    [{ endpoint: 'embeddings', finish: null }, undefined],
    [{ outcome: 'truncated' }, 'unsuccessful'],
    [{ outcome: 'client_abort', status: 499 }, 'unsuccessful'],
    [{ outcome: 'error' }, 'unsuccessful'],
    [{ status: 302 }, 'unsuccessful'],
    [{ finish: 'length' }, 'unfinished'],
    [{ finish: 'content_filter' }, 'unfinished'],
    [{ finish: null }, 'unfinished'],
  ])('%p gives %p', (change, reason) => {
    expect(filterOf(factsOf({ ...head, ...change }), { successfulOnly: true })).toBe(reason as never);
  });

  test('is not asked about success otherwise', () => {
    expect(filterOf(factsOf({ ...head, outcome: 'error' }), { successfulOnly: false })).toBeUndefined();
  });
});

test('filterOf() finds part of a model name in any case', () => {
  const by = (modelFilter: string) => filterOf(factsOf(head), { successfulOnly: false, modelFilter });
  expect([by('GPT-4'), by('mini'), by('claude')]).toEqual([undefined, undefined, 'model']);
});

test('filterOf() takes both ends of the span in, and times that cannot be read for outside', () => {
  const span = { successfulOnly: false, fromMs: timeOf('2026-11-23'), untilMs: endOf('2026-11-23') };
  const at = (ts: string) => filterOf(factsOf({ ...head, ts }), span);
  expect(at('2026-11-23T00:00:00.000Z')).toBeUndefined();
  expect(at('2026-11-23T23:59:59.999999Z')).toBeUndefined();
  expect(at('2026-11-24T00:30:00+01:00')).toBeUndefined();
  expect(at('2026-11-22T23:59:59.999Z')).toBe('date');
  expect(at('2026-11-24T00:00:00Z')).toBe('date');
  expect(at('yesterday')).toBe('date');
});

describe('timeOf()', () => {
  test.each([
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23 10:00:00,123', '2026-11-23T10:00:00.123Z'],
    ['2026-11-23T10:00:00.5+0200', '2026-11-23T08:00:00.500Z'],
  ])('reads %s as UTC', (text, iso) => {
    expect(new Date(timeOf(text)).toISOString()).toBe(iso);
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
