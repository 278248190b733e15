import { expect, test } from 'bun:test';
import { BoundedReplay } from '../../src/pipeline/attempts/replay.ts';
import { usedMs } from '../helpers/cpu.ts';

test('BoundedReplay drops the oldest entries beyond its limit, and keeps those of callers apart', () => {
  const replay = new BoundedReplay(1_000);
  const memory = replay.of('a');
  for (const id of ['x', 'y', 'z']) memory.set(id, { text: id.repeat(400) });
  expect(['x', 'y', 'z'].filter((id) => memory.get(id))).toEqual(['y', 'z']);
  expect(replay.of('b').get('z')).toBeUndefined();
  memory.set('w', { text: 'w'.repeat(1_000) });
  memory.set('v', { list: Array(1_000).fill(1) });
  expect(['y', 'z', 'w', 'v'].filter((id) => memory.get(id))).toEqual(['y', 'z']);
});

test('BoundedReplay stores a long entry without writing it as JSON', () => {
  const value = { text: '\n'.repeat(4_000_000) };
  const memory = new BoundedReplay(10_000_000).of(null);
  const timed = (work: () => void): number => {
    const began = usedMs();
    work();
    return usedMs() - began;
  };
  const written = timed(() => JSON.stringify(value));
  expect(timed(() => memory.set('x', value))).toBeLessThan(written / 3);
});
