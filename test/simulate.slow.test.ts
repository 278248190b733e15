import { describe, expect, test } from 'bun:test';
import { simulate } from './simulate/run.ts';

/** Enough time on a busy machine. Each test takes some seconds on an idle one. */
const SLOW_MS = 120_000;

describe('the simulation', () => {
  test(
    'is the same for the same seed, however long it checks that everything is idle',
    async () => {
      const first = await simulate(7, { hours: 0.5 });
      const again = await simulate(7, { hours: 0.5 });
      const patient = await simulate(7, { hours: 0.5, quietTurns: 8 });
      expect(first.requests).toBeGreaterThan(100);
      expect(again.hash).toBe(first.hash);
      expect(patient.hash).toBe(first.hash);
      expect((await simulate(8, { hours: 0.5 })).hash).not.toBe(first.hash);
    },
    SLOW_MS,
  );

  test(
    'finds no violations within some hours',
    async () => {
      for (const seed of [1, 2, 3]) {
        const { violations } = await simulate(seed);
        const told = violations.map(({ rule, what, events }) =>
          [`rule ${rule}: ${what}`, ...events].join('\n  '),
        );
        expect(told.join('\n'), `SEED=${seed}`).toBe('');
      }
    },
    SLOW_MS,
  );
});
