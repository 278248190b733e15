import { expect, test } from 'bun:test';
import { ProxyError } from '../../src/errors.ts';
import { Buffered } from '../../src/server/buffered.ts';
import { Gate } from '../../src/server/gate.ts';
import { networkOf } from '../../src/server/network.ts';

function fault(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (thrown) {
    return thrown instanceof ProxyError ? thrown.fault : 'none';
  }
}

test('Buffered refuses what exceeds the total or a share, and accepts what has become free again', () => {
  const buffered = new Buffered(100, 50);
  buffered.take('a', 50);
  expect(fault(() => buffered.take('a', 1))).toBe('over_share');
  buffered.take('b', 30);
  buffered.take(undefined, 20);
  expect(fault(() => buffered.take('b', 1))).toBe('unavailable');
  expect(fault(() => buffered.take(undefined, 1))).toBe('unavailable');
  expect(buffered.bytes).toBe(100);
  buffered.free('a', 50);
  buffered.take('a', 10);
  buffered.free('a', 10);
  buffered.free('b', 30);
  buffered.free(undefined, 20);
  expect(buffered.bytes).toBe(0);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1])(
  'Buffered refuses %p as a number of bytes, and keeps its count',
  (bytes) => {
    const buffered = new Buffered(100);
    expect(fault(() => buffered.take('a', bytes))).toBe('internal');
    expect(fault(() => buffered.take(undefined, bytes))).toBe('internal');
    expect(buffered.bytes).toBe(0);
    expect(fault(() => buffered.take('a', 101))).toBe('unavailable');
  },
);

test('Buffered expects short bodies up to a bound, half of which is reserved for the shortest', () => {
  const buffered = new Buffered(100);
  const mib = 1024 ** 2;
  expect([buffered.expects(5 * mib), buffered.expects(4 * mib), buffered.expects(3 * mib)]).toEqual([
    true,
    false,
    true,
  ]);
  const short = 64 * 1024;
  for (let at = 0; at < (8 * mib) / short; at += 1) expect(buffered.expects(short)).toBe(true);
  expect(buffered.expects(short)).toBe(false);
  buffered.arrived(short);
  expect(buffered.expects(short)).toBe(true);
});

test('Gate runs a limited number at a time, in order, and continues after a failure', async () => {
  const gate = new Gate(2);
  const ends: ((how: 'done' | 'failed') => void)[] = [];
  const begun: number[] = [];
  const passes = [0, 1, 2, 3].map((at) =>
    gate.pass(async () => {
      begun.push(at);
      const how = await new Promise<string>((resolve) => ends.push(resolve));
      if (how === 'failed') throw new Error('failed');
      return at;
    }),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  ends[0]!('failed');
  expect(passes[0]!).rejects.toThrow('failed');
  ends[1]!('done');
  expect(await passes[1]!).toBe(1);
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const end of ends) end('done');
  expect(await Promise.all(passes.slice(2))).toEqual([2, 3]);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1', 'fe80:0:0:0::/64'],
])('networkOf(%p) is %p', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
