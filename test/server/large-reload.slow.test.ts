/** Applying a configuration takes time in proportion to its size. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import { usedMs } from '../helpers/cpu.ts';
import { running } from '../helpers/proxy.ts';

const SOME = 1_000;
/** Quadratic work takes 64 times as long for the larger one. */
const TIMES = 8;

const configOf = (many: number, priority: number): ConfigInput => ({
  providers: Array.from({ length: many }, (_, n) => ({
    name: `p${n}`,
    type: 'openai-compatible',
    base_url: 'http://127.0.0.1:1/v1',
    api_key: 'none',
    models: [`m${n}`],
    priority,
  })),
});

/** The shortest processor time of several reloads, milliseconds. */
async function costMs(many: number): Promise<number> {
  await using proxy = running(configOf(many, 1), { LLMPROXY_DISCOVER_MODELS: '' });
  const tries = [2, 3, 4].map((priority) => {
    const next = configOf(many, priority);
    const beganMs = usedMs();
    proxy.reload(next);
    return usedMs() - beganMs;
  });
  return Math.min(...tries);
}

test('many providers', async () => {
  await costMs(SOME);
  const few = await costMs(SOME);
  // A few milliseconds are spent on any configuration.
  expect(await costMs(SOME * TIMES)).toBeLessThan(2 * TIMES * (few + 3));
});
