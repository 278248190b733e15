/** Pings a proxy every few milliseconds, in a thread of its own, and reports each answer that took long. */
import { connect } from 'node:net';
import { readFileSync } from 'node:fs';

declare const self: Worker;

export interface PingOrder {
  readonly port: number;
  readonly pid: number;
  /** Answers that took longer than this are reported, in milliseconds. */
  readonly slowMs: number;
}

/** When a slow answer was awaited, by `Date.now()`, and how long the proxy's main thread ran in that time. */
export interface Slow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly heldMs: number;
}

const EVERY_MS = 4;
const ASKING = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** How long the main thread of a process has run, in milliseconds; `undefined` if the system does not report it. */
function ranMs(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

self.addEventListener('message', ({ data: { port, pid, slowMs } }: MessageEvent<PingOrder>) => {
  const socket = connect(port, '127.0.0.1');
  let fromMs = 0;
  let before: number | undefined;
  const ask = (): void => {
    fromMs = Date.now();
    before = ranMs(pid);
    socket.write(ASKING);
  };
  socket.setNoDelay(true);
  socket.on('connect', ask);
  socket.on('error', () => socket.destroy());
  socket.on('data', () => {
    const toMs = Date.now();
    const waited = toMs - fromMs;
    if (waited > slowMs) {
      const after = ranMs(pid);
      // Time spent waiting for a processor that other programs use does not count.
      const ran = before === undefined || after === undefined ? waited : after - before;
      postMessage({ fromMs, toMs, heldMs: Math.min(waited, ran) } satisfies Slow);
    }
    setTimeout(ask, EVERY_MS);
  });
});
