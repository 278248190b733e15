/**
 * Preloaded into a program: measures how long its event loop is held, and answers with that on a port of its own, which
 * it writes to the file `loop-port` in its directory.
 */
import { writeFileSync } from 'node:fs';
import { usedMs } from './cpu.ts';

if (Bun.isMainThread) {
  let beganMs = usedMs();
  let turnMs = beganMs;
  let longestMs = 0;
  const turn = (): void => {
    const nowMs = usedMs();
    longestMs = Math.max(longestMs, nowMs - turnMs);
    turnMs = nowMs;
  };
  setInterval(turn, 1).unref();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => {
      turn();
      const measured = { longestMs, totalMs: turnMs - beganMs };
      beganMs = turnMs;
      longestMs = 0;
      return Response.json(measured);
    },
  });
  server.unref();
  writeFileSync('loop-port', String(server.port));
}
