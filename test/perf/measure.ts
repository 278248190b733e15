import { median } from '../../bench/statistics.ts';
import type { BenchRequest } from '../../bench/requests.ts';
import { CHAT, MESSAGES, MESSAGES_STREAM, STREAM } from '../../bench/requests.ts';
import type { Counts } from './counted.ts';
import { counted } from './counted.ts';
import { lockstepClient, lockstepProvider } from './lockstep.ts';

const WARM_UP = 100;
const REQUESTS = 300;
const STREAMS = 100;
const [SHORT, LONG] = [4, 14];

/** What is counted, in the order of the columns. */
export const CASES = [
  'relayed request',
  'translated request',
  'relayed stream, without its chunks',
  'chunk of a relayed stream',
  'translated stream, without its chunks',
  'chunk of a translated stream',
] as const;

/**
 * By what was counted, how many for each case. Each is the median of many requests, one at a time, so that what is done
 * now and then for many of them, such as writing the log, is none of them.
 */
export async function objectsMade(): Promise<ReadonlyMap<string, readonly number[]>> {
  using provider = lockstepProvider();
  await using program = await counted(provider.url);
  using client = await lockstepClient(program.url);

  const counts = async (times: number, asked: BenchRequest, chunks?: number): Promise<Counts> => {
    const seen = new Map<string, number[]>();
    let before = await program.counts();
    for (let n = 0; n < times; n += 1) {
      await client.ask(asked, chunks === undefined ? undefined : () => provider.next(chunks));
      const after = await program.counts();
      for (const [name, count] of Object.entries(after)) {
        const made = seen.get(name) ?? Array.from({ length: n }, () => 0);
        made.push(count - (before[name] ?? 0));
        seen.set(name, made);
      }
      before = after;
    }
    return Object.fromEntries([...seen].map(([name, made]) => [name, median(made)]));
  };
  const request = async (asked: BenchRequest) => {
    await counts(WARM_UP, asked);
    return [await counts(REQUESTS, asked)];
  };
  const stream = async (asked: BenchRequest) => {
    await counts(STREAMS / 2, asked, SHORT);
    const short = await counts(STREAMS, asked, SHORT);
    const long = await counts(STREAMS, asked, LONG);
    const chunk = combined(long, short, (more, less) => (more - less) / (LONG - SHORT));
    return [combined(short, chunk, (all, one) => all - one * SHORT), chunk];
  };

  const columns = [
    ...(await request(CHAT)),
    ...(await request(MESSAGES)),
    ...(await stream(STREAM)),
    ...(await stream(MESSAGES_STREAM)),
  ];
  const names = [...new Set(columns.flatMap((each) => Object.keys(each)))].toSorted();
  return new Map(names.map((name) => [name, columns.map((each) => each[name] ?? 0)]));
}

function combined(a: Counts, b: Counts, combine: (a: number, b: number) => number): Counts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, combine(a[name] ?? 0, b[name] ?? 0)]));
}
