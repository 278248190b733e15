/**
 * One of several processes that share limits: bun limits-process.ts <index> <processes> <what>, the file as fd 3.
 * It goes to work when it is told, and says what came of it.
 */
import { sharedLimits } from '../../src/limits/shared.ts';
import { clockOffsetMs, mapShared, MEMORY_FD } from '../../src/workers/shared-file.ts';

const [index = '0', processes = '1', what = ''] = process.argv.slice(2);
const memory = mapShared(MEMORY_FD, Number(processes));
const monotonic = () => performance.now();
const limits = sharedLimits({ memory, index: Number(index), offsetMs: clockOffsetMs(monotonic) });
const room = limits.room('a');
room.configure(
  what === 'rate'
    ? { rateLimit: 600_000, maxConnections: undefined }
    : { rateLimit: undefined, maxConnections: 1 },
);

/** Takes and frees places, and looks each time that there are never too many. */
function places(): { taken: number; most: number } {
  let taken = 0;
  let most = 0;
  const untilMs = monotonic() + 300;
  while (monotonic() < untilMs) {
    if (!room.reserve(monotonic())) continue;
    taken += 1;
    most = Math.max(most, inCritical(1));
    inCritical(-1);
    room.end();
  }
  return { taken, most };
}

/** How many are between taking and freeing, counted apart from what is tested. */
const critical = memory.place('critical');
function inCritical(change: 1 | -1): number {
  memory.add(critical, Number(index), change);
  return memory.total(critical);
}

/** Takes from the bucket until it is empty. */
function rate(): { taken: number; fromMs: number; untilMs: number } {
  const fromMs = Date.now();
  let taken = 0;
  while (room.reserve(monotonic())) {
    taken += 1;
    room.end();
  }
  return { taken, fromMs, untilMs: Date.now() };
}

process.on('message', () => {
  process.send!(what === 'rate' ? rate() : places());
  process.disconnect?.();
});
process.send!('ready');
