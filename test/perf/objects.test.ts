/**
 * Counts in place of timing: a machine that is busy makes a request slower, but it makes no object more. Times are
 * measured by `make bench`.
 */
import { expect, test } from 'bun:test';
import { BUDGETS } from './budgets.ts';
import { CASES, objectsMade } from './measure.ts';

test('a request creates only the native objects of its budget', async () => {
  const made = await objectsMade();
  const names = new Set([...Object.keys(BUDGETS), ...made.keys()]);
  const differences = [...names].flatMap((name) =>
    CASES.flatMap((what, column) => {
      const [count, budget] = [made.get(name)?.[column] ?? 0, BUDGETS[name]?.[column] ?? 0];
      if (count === budget) return [];
      const todo =
        count > budget ? 'do with less, or say why not and raise it' : 'well done, lower the budget';
      return [`${what}: ${name} ${count} times, the budget in test/perf/budgets.ts is ${budget}: ${todo}`];
    }),
  );
  expect(differences).toEqual([]);
}, 60_000);
