import { describe, expect, test } from 'bun:test';
import { rateLimitsIn } from '../../src/wire/rate-limits.ts';

const NOW = Date.parse('2026-03-04T05:06:07.000Z');
const span = (ms: number) => ({ ms, moment: false });

describe('rateLimitsIn()', () => {
  test('reads OpenAI’s headers', () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(rateLimitsIn(headers, NOW)).toEqual([
      { counts: 'requests', limit: 60, remaining: 59, reset: span(1_000) },
      { counts: 'tokens', limit: 150_000, remaining: 149_984, reset: span(360_000) },
    ]);
  });

  test('reads Anthropic’s headers', () => {
    const names = ['requests', 'tokens', 'input-tokens', 'output-tokens'];
    const headers = Object.fromEntries(
      names.flatMap((name, index) => [
        [`anthropic-ratelimit-${name}-limit`, '1000'],
        [`anthropic-ratelimit-${name}-remaining`, String(index)],
        [`anthropic-ratelimit-${name}-reset`, '2026-03-04T05:06:37Z'],
      ]),
    );
    expect(rateLimitsIn(headers, NOW)).toEqual(
      (['requests', 'tokens', 'input', 'output'] as const).map((counts, remaining) => ({
        counts,
        limit: 1_000,
        remaining,
        reset: { ms: 30_000, moment: true },
      })),
    );
  });

  const told = (remaining: string, reset: string, limit?: string) =>
    rateLimitsIn(
      {
        'x-ratelimit-remaining-requests': remaining,
        'x-ratelimit-reset-requests': reset,
        'x-ratelimit-limit-requests': limit,
      },
      NOW,
    );

  test.each([
    ['', '1s'],
    ['-1', '1s'],
    ['0.5', '1s'],
    ['NaN', '1s'],
    ['Infinity', '1s'],
    ['0x10', '1s'],
    ['1e3', '1s'],
    ['9999999999999999', '1s'],
    // A header that is sent twice: its values are joined.
    ['0, 12', '1s'],
    ['none', '1s'],
    ['0', ''],
    ['0', 'soon'],
    ['0', '-5'],
    ['0', '1s, 2s'],
    ['0', 'NaN'],
  ])('ignores remaining "%s" with reset "%s"', (remaining, reset) => {
    expect(told(remaining, reset)).toEqual([]);
  });

  test('accepts a missing limit, and resets as durations, timestamps and dates', () => {
    expect(told('0', '1.5', 'many')).toEqual([
      { counts: 'requests', limit: undefined, remaining: 0, reset: span(1_500) },
    ]);
    expect(told('0', '120ms')[0]!.reset).toEqual(span(120));
    expect(told('0', String(NOW / 1_000 + 2))[0]!.reset).toEqual({ ms: 2_000, moment: true });
    expect(told('0', '2020-01-01T00:00:00Z')[0]!.reset).toEqual({ ms: 0, moment: true });
  });

  test('returns nothing without rate limit headers', () => {
    expect(rateLimitsIn({ 'content-type': 'application/json' }, NOW)).toEqual([]);
    expect(
      rateLimitsIn({ 'x-ratelimit-limit-requests': '0', 'x-ratelimit-reset-requests': '1s' }, NOW),
    ).toEqual([]);
  });
});
