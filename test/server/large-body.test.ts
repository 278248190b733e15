import { expect, test } from 'bun:test';
import { StreamBudget } from '../../src/pipeline/streams/stream-budget.ts';
import { LARGE, LargeBody } from '../../src/server/large-body.ts';
import { FakeClock } from '../helpers/clock.ts';

function given(length: number, unread = 0) {
  const clock = new FakeClock();
  const budget = new StreamBudget(clock, { unread, recording: 0 });
  const bytes = new Uint8Array(length).map((_, at) => at % 251);
  let cuts = 0;
  const body = new ReadableStream(new LargeBody(bytes, budget, () => void (cuts += 1)));
  return { clock, budget, bytes, body, cuts: () => cuts };
}

test.each([LARGE + 1, 2 * LARGE, 2 * LARGE + 7])('LargeBody sends %d bytes unchanged', async (length) => {
  const { budget, bytes, body, clock } = given(length);
  expect(budget.bytes).toBe(length);
  expect(Buffer.compare(await new Response(body).bytes(), bytes)).toBe(0);
  expect([budget.bytes, clock.timers]).toEqual([0, 0]);
});

test('LargeBody frees its budget when its client leaves', async () => {
  const { budget, body } = given(LARGE + 1);
  await body.cancel();
  expect(budget.bytes).toBe(0);
});

test('LargeBody sends no more after it was cut, and does not appear to end', async () => {
  const { clock, budget, body, cuts } = given(LARGE + 1);
  const reader = body.getReader();
  expect((await reader.read()).value).toHaveLength(64 * 1024);
  clock.advance(1_000);
  expect([cuts(), budget.bytes, clock.timers]).toEqual([1, 0, 0]);
  // One chunk may have been read ahead.
  const seen: string[] = [];
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      seen.push(done ? 'an end' : `${value!.length}`);
    }
  };
  await Promise.race([read(), Bun.sleep(20)]);
  expect(seen.filter((what) => what !== '65536')).toEqual([]);
  expect(seen.length).toBeLessThan(2);
});
