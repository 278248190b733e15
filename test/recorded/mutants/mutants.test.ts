import { expect, test } from 'bun:test';
import { copyProject } from './copy.ts';
import { MUTATIONS } from './mutations.ts';

test('every mutation finds its places in src', () => {
  using copy = copyProject();
  const unfit = MUTATIONS.flatMap((mutation) => {
    try {
      copy.apply(mutation);
      return [];
    } catch (cause) {
      return [(cause as Error).message];
    } finally {
      copy.restore();
    }
  });
  expect(unfit).toEqual([]);
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(30);
});
