import type { LoadOptions } from '../load.ts';
import { startLoad } from '../load.ts';
import type { BenchRequest } from '../requests.ts';
import { BRIEF_STREAM, CHAT, requestBytes } from '../requests.ts';
import type { Row, Run } from '../row.ts';
import { median } from '../statistics.ts';
import { BARE_PASS, BARE_WHOLE } from '../subjects.ts';

/** The minimum number of answers to take a median of. */
const LEAST = 50;
const GIVE_UP_MS = 30_000;

export const addedChat: Row = {
  name: 'added',
  measures: [
    {
      name: 'added',
      title: 'Added to the median of an answer, 1 client',
      unit: 'µs',
      base: BARE_WHOLE,
      quoted: true,
    },
  ],
  applies: () => true,
  sample: async (run) => ({ added: await addedUs(run, CHAT, 'whole') }),
};

export const addedFirstByte: Row = {
  name: 'added-first-byte',
  measures: [
    {
      name: 'added_first_byte',
      title: 'Added to the median first byte of a stream, 1 client',
      unit: 'µs',
      base: BARE_PASS,
      quoted: true,
    },
  ],
  // A subject that reads complete answers has no first byte before the last one.
  applies: ({ name }) => name !== BARE_WHOLE,
  sample: async (run) => ({ added_first_byte: await addedUs(run, BRIEF_STREAM, 'first byte') }),
};

/** The latency that a proxy adds for a single client: its median less that of a direct request, in microseconds. */
async function addedUs(
  { instance, upstream, effort }: Run,
  asked: BenchRequest,
  until: LoadOptions['until'],
): Promise<number> {
  const medianMs = async (url: string, request: Buffer, ms: number) => {
    const load = startLoad(url, { clients: 1, request, until });
    try {
      // The first requests open the connection, and code compiled under the load of many clients is compiled anew.
      await Promise.race([Bun.sleep(ms / 4), load.failed]);
      load.takeLatenciesMs();
      const [untilMs, giveUpMs] = [performance.now() + ms, performance.now() + GIVE_UP_MS];
      const all: number[] = [];
      while (performance.now() < untilMs || (all.length < LEAST && performance.now() < giveUpMs)) {
        await Promise.race([Bun.sleep(ms / 4), load.failed]);
        all.push(...load.takeLatenciesMs());
      }
      return median(all);
    } finally {
      load.stop();
    }
  };
  const direct = await medianMs(upstream, requestBytes(asked, ''), effort.windowMs);
  const through = await medianMs(instance.url, requestBytes(asked, instance.headers), effort.windowMs);
  return (through - direct) * 1000;
}
