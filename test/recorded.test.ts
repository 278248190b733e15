/** Recorded traffic of real providers through the decoders, where the recordings lie. */
import { expect, test } from 'bun:test';
import { hasRecordings } from './helpers/recorded/read.ts';
import { runRecordings } from './helpers/recorded/run.ts';

test.skipIf(!hasRecordings)(
  'every recorded exchange is understood, however it is cut',
  () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { providers, failures } = runRecordings(seed);
    expect(failures).toEqual([]);
    expect(providers.size).toBeGreaterThan(0);
    for (const { read, passed, failed, skipped } of providers.values()) {
      const left = [...skipped.values()].reduce((sum, count) => sum + count, 0);
      expect(passed + failed + left).toBe(read);
      expect([...skipped.keys()].filter((reason) => reason.trim() === '')).toEqual([]);
    }
  },
  60_000,
);
