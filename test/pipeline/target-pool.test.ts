/** The targets of many providers. */
import { expect, test } from 'bun:test';
import { TargetPool } from '../../src/pipeline/targets/target-pool.ts';
import { usedMs } from '../helpers/cpu.ts';
import { BREAKER, Silent } from '../properties/targets.ts';

/** More would be dropped. */
const MOST = 2_000;

const POLICY = {
  breaker: BREAKER,
  health: { window: 1_000, min_calls: 1, degraded_below: 0.9, unhealthy_below: 0.5 },
};

/** A pool with one target of each of so many providers. */
function poolOf(many: number) {
  const pool = new TargetPool(POLICY, () => 0.5);
  const providers = Array.from({ length: many }, (_, n) => new Silent({ name: `p${n}` }));
  pool.adopt(POLICY, providers, () => false);
  for (const each of providers) pool.target(each, 'm', 0);
  return { pool, providers };
}

test('targets() returns those of one provider, until they are dropped', () => {
  const { pool, providers } = poolOf(3);
  const [first, second] = providers as [Silent, Silent];
  const other = pool.target(first, 'n', 0);
  expect(pool.targets('p0').map(({ model }) => model)).toEqual(['m', 'n']);
  expect(pool.targets('p1').map(({ id }) => id)).toEqual(['p1/m']);
  pool.adopt(POLICY, [first], () => true);
  expect([pool.targets('p0').at(-1), pool.targets('p1')]).toEqual([other, []]);
  for (let n = 0; n < MOST; n += 1) pool.target(first, `x${n}`, 0);
  expect(pool.targets('p0').length).toBe(MOST);
  expect(pool.targets('p0')).not.toContain(other);
  expect(pool.target(second, 'm', 0).id).toBe('p1/m');
});

test('targets() takes no longer when other providers have many', () => {
  const costMs = (many: number) => {
    const { pool, providers } = poolOf(many);
    const tries = [1, 2, 3].map(() => {
      const beganMs = usedMs();
      for (let n = 0; n < 4_000; n += 1) pool.targets(providers[n % many]!.name);
      return usedMs() - beganMs;
    });
    return Math.min(...tries);
  };
  // It took forty times as long.
  expect(costMs(MOST)).toBeLessThan(8 * (costMs(20) + 2));
});
