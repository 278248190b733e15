/**
 * One of several processes that share limits: bun limits-process.ts <index> <processes> <what>, with the shared file as
 * fd 3.
 * It starts when told to, and prints its result.
 */
import { sharedLimits } from '../../src/limits/shared.ts';
import { clockOffsetMs, mapShared, MEMORY_FD } from '../../src/workers/shared-file.ts';

const [index = '0', processes = '1', what = ''] = process.argv.slice(2);
const memory = mapShared(MEMORY_FD, Number(processes));
const monotonic = () => performance.now();
const limits = sharedLimits({ memory, index: Number(index), offsetMs: clockOffsetMs(monotonic) });
const room = limits.room('a');
const critical = memory.place('critical');
const WHAT = {
  places: { limits: { rateLimit: undefined, maxConnections: 1 }, work: places },
  rate: { limits: { rateLimit: { requests: 600_000 }, maxConnections: undefined }, work: rate },
  tokens: { limits: { rateLimit: { tokens: 600_000 }, maxConnections: undefined }, work: tokens },
};
const { limits: ofRoom, work } = WHAT[what as keyof typeof WHAT];
room.configure(ofRoom);

/** Takes and frees places, and checks each time that there are never too many. */
function places(): { taken: number; most: number } {
  let taken = 0;
  let most = 0;
  const untilMs = monotonic() + 300;
  while (monotonic() < untilMs) {
    const place = room.take(monotonic(), 0);
    if (!place) continue;
    taken += 1;
    most = Math.max(most, inCritical(1));
    inCritical(-1);
    place.end(monotonic(), undefined);
  }
  return { taken, most };
}

/** The number of processes between taking and freeing, counted independently of the code under test. */
function inCritical(change: 1 | -1): number {
  memory.add(critical, Number(index), change);
  return memory.total(critical);
}

/** Takes from the bucket until it is empty. */
function rate(): { taken: number; fromMs: number; untilMs: number } {
  const fromMs = Date.now();
  let taken = 0;
  for (let place = room.take(monotonic(), 0); place; place = room.take(monotonic(), 0)) {
    taken += 1;
    place.end(monotonic(), undefined);
  }
  return { taken, fromMs, untilMs: Date.now() };
}

/** Reserves many tokens and uses few, and checks each time that no other process holds a reservation. */
function tokens(): { used: number; most: number; fromMs: number; untilMs: number } {
  const fromMs = Date.now();
  let used = 0;
  let most = 0;
  const untilMs = monotonic() + 300;
  while (monotonic() < untilMs) {
    const place = room.take(monotonic(), 400_000);
    if (!place) continue;
    most = Math.max(most, inCritical(1));
    inCritical(-1);
    used += 60_000;
    place.end(monotonic(), 60_000);
  }
  return { used, most, fromMs, untilMs: Date.now() };
}

process.on('message', () => {
  process.send!(work());
  process.disconnect?.();
});
process.send!('ready');
