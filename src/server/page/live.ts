/** GET /page/live: finished requests as Server-Sent Events. */
import type { Clock } from '../../clock.ts';
import type { LiveEvent, RunningRow } from '../../web/api.ts';
import { sleep } from '../../clock.ts';
import type { Watcher } from './watcher.ts';

/** Records are sent in batches, so that a thousand a second are ten events: milliseconds between two. */
const BATCH_MS = 100;

/** Longest time between two events, milliseconds: how many requests are in flight changes also while none ends. */
const TICK_MS = 1_000;

export interface LiveOptions {
  readonly clock: Clock;
  readonly inFlight: () => number;
  readonly running: () => readonly RunningRow[];
  /** Whether whoever looks may still do so. */
  readonly allowed: () => boolean;
}

/**
 * The stream of events. It is asked for the next one when the last one is on its way, so that a browser that reads slowly is
 * sent less, and the records that wait for it are bounded.
 */
export function liveStream(watcher: Watcher, options: LiveOptions): ReadableStream<Uint8Array> {
  const { clock, inFlight, running, allowed } = options;
  const encoder = new TextEncoder();
  const told = (event: LiveEvent) => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);
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
        // How long a browser waits before it begins again, where the stream ends.
        const first = begun ? '' : 'retry: 1000\n\n';
        begun = true;
        controller.enqueue(first === '' ? told(event) : Buffer.concat([encoder.encode(first), told(event)]));
      },
      cancel() {
        watcher.end();
      },
    },
    { highWaterMark: 0 },
  );
}
