import { describe, expect, test } from 'bun:test';
import { simulate } from './simulate/run.ts';

/** For a machine that is busy: alone each takes some seconds. */
const SLOW_MS = 120_000;

describe('the simulation', () => {
  test(
    'runs the same for the same seed, however long it looks whether all is at rest',
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
    'finds nothing that should not be in some hours',
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
