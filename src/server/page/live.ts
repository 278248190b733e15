/** GET /page/live: finished requests as Server-Sent Events. */
import type { Clock } from '../../clock.ts';
import type { LiveEvent, RunningRow } from '../../web/api.ts';
import { sleep } from '../../clock.ts';
import type { Watcher } from './watcher.ts';

/** Records are sent in batches, so that a thousand a second make ten events: the interval in milliseconds. */
const BATCH_MS = 100;

/**
 * The longest time between two events, milliseconds: the number of requests in progress also changes while none ends.
 */
const TICK_MS = 1_000;

export interface LiveOptions {
  readonly clock: Clock;
  readonly inFlight: () => number;
  readonly running: () => readonly RunningRow[];
  /** Whether the reader may still watch. */
  readonly allowed: () => boolean;
}

/**
 * The stream of events. The next event is produced when the previous one is being sent, so that a slow browser gets
 * fewer events, and the number of waiting records is bounded.
 */
export function liveStream(watcher: Watcher, options: LiveOptions): ReadableStream<Uint8Array> {
  const { clock, inFlight, running, allowed } = options;
  const encoder = new TextEncoder();
  const encoded = (event: LiveEvent) => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
  let begun = false;
  let toldMs = -Infinity;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (begun) {
          await sleep(clock, BATCH_MS);
          await Promise.race([watcher.something(), sleep(clock, TICK_MS)]);
        }
        if (watcher.ended || !allowed()) {
          watcher.end();
          controller.close();
          return;
        }
        const due = clock.monotonic() - toldMs >= TICK_MS;
        if (due) toldMs = clock.monotonic();
        const event = {
          ...watcher.empty(),
          inFlight: inFlight(),
          ...(due ? { running: running() } : {}),
        };
        // How long a browser waits before it reconnects when the stream ends.
        const first = begun ? '' : 'retry: 1000\n\n';
        begun = true;
        controller.enqueue(
          first === '' ? encoded(event) : Buffer.concat([encoder.encode(first), encoded(event)]),
        );
      },
      cancel() {
        watcher.end();
      },
    },
    { highWaterMark: 0 },
  );
}
