/** Asks a proxy for its pulse every few milliseconds, beside all else, and tells of each answer that took long. */
import { connect } from 'node:net';
import { readFileSync } from 'node:fs';

declare const self: Worker;

export interface PingOrder {
  readonly port: number;
  readonly pid: number;
  /** An answer that took longer is told of, milliseconds. */
  readonly slowMs: number;
}

/** From when until when an answer was waited for, by `Date.now()`, and how long the proxy's own thread ran meanwhile. */
export interface Slow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly heldMs: number;
}

const EVERY_MS = 4;
const ASKING = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** How long the main thread of a process has run, milliseconds; `undefined` where the system does not tell. */
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
      // Waiting for a processor that others use is nobody's fault.
      const ran = before === undefined || after === undefined ? waited : after - before;
      postMessage({ fromMs, toMs, heldMs: Math.min(waited, ran) } satisfies Slow);
    }
    setTimeout(ask, EVERY_MS);
  });
});
