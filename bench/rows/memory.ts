import { abortedRequests } from '../aborts.ts';
import { startLoad } from '../load.ts';
import { residentMb } from '../memory.ts';
import { CHAT, requestBytes } from '../requests.ts';
import type { Row, Run } from '../row.ts';
import { BARE_PASS, BARE_WHOLE } from '../subjects.ts';

const ABORTED = 10_000;
const REQUESTS = 100_000;
const CLIENTS = 256;
/** The time in which freed memory is returned to the system. */
const SETTLE_MS = 3_000;

export const afterAborts: Row = memoryRow(
  'memory-aborts',
  'Memory after 10,000 aborted requests, RSS',
  ({ instance }) => abortedRequests(instance, ABORTED),
);

export const afterLoad: Row = memoryRow(
  'memory-load',
  'Memory after 100,000 requests, 256 clients, RSS',
  async ({ instance }) => {
    const load = startLoad(instance.url, {
      clients: CLIENTS,
      request: requestBytes(CHAT, instance.headers),
    });
    try {
      while (load.completed() < REQUESTS) await Promise.race([Bun.sleep(50), load.failed]);
    } finally {
      load.stop();
    }
  },
);

function memoryRow(name: string, title: string, work: (run: Run) => Promise<void>): Row {
  return {
    name,
    measures: [{ name, title, unit: 'MB', base: BARE_WHOLE, quoted: true }],
    // The other proxies would need minutes for as many requests.
    applies: (subject) => subject.kind !== 'peer' && subject.name !== BARE_PASS,
    alone: 3,
    async sample(run) {
      await work(run);
      await Bun.sleep(SETTLE_MS);
      return { [name]: residentMb(run.instance.pid) };
    },
  };
}
