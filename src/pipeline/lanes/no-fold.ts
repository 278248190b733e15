import type { Fold } from './lane.ts';

/** For answers that are never streamed. */
export const NO_FOLD: Fold = {
  push: () => undefined,
  end: () => undefined,
  fail: () => '',
  goOn: () => ({ push: () => '', end: () => '' }),
};
