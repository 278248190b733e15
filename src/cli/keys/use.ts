/** What keys have done, as commands show it. */
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { LogLine } from '../../logs/lines.ts';
import { listLogs } from '../../logs/names.ts';
import { parseLine, readLines } from '../../logs/reader.ts';

export interface KeyUse {
  /** When its last request came, milliseconds since 1970. */
  readonly lastMs: number;
  /** In this month (UTC), as far as prices are known, USD. */
  readonly spent: number;
  readonly requests: number;
}

/** Last use and spend of each key by its name, from the heads of this month's request log. */
export async function lastUseAndSpend(
  { logging }: Pick<Config, 'logging'>,
  nowMs: number,
): Promise<ReadonlyMap<string, KeyUse>> {
  const { directory } = logging.requests;
  const month = new Date(nowMs).toISOString().slice(0, 7);
  const logs = (await listLogs(directory)).filter(({ day, kind }) => day.startsWith(month) && kind !== 'tmp');
  const plain = new Set(logs.filter(({ kind }) => kind === 'plain').map(({ name }) => name));
  // One that is being compressed is there twice.
  const files = logs.filter(({ name, kind }) => kind === 'plain' || !plain.has(name.replace(/\.zst$/, '')));
  const inputs = files.map(({ name }) => ({ name, path: join(directory, name), bytes: undefined }));
  const uses = new Map<string, KeyUse>();
  for await (const { lines } of readLines(inputs)) {
    for (const line of lines) {
      const found = headOf(line);
      if (found) uses.set(found.key, added(uses.get(found.key), found));
    }
  }
  return uses;
}

interface Head {
  readonly key: string;
  readonly atMs: number;
  readonly cost: number;
}

/** Names before these are no users' words, and none holds a quote. */
const HEAD =
  /^\{"v":\d+,"ts":"([^"]+)".*?,"cost":(null|[\d.eE+-]+),"latency_ms":[^,]+,"first_content_ms":[^,]+,"key":(?:null|"([^"\\]*)")/s;
const HEAD_BYTES = 8_192;

function headOf(line: LogLine): Head | undefined {
  const match = HEAD.exec(line.bytes.toString('latin1', 0, HEAD_BYTES));
  const [, ts, cost, key] = match ?? [];
  if (match) return key === undefined ? undefined : { key, atMs: Date.parse(ts!), cost: Number(cost) || 0 };
  const { value } = parseLine(line);
  if (typeof value?.key !== 'string' || typeof value.ts !== 'string') return undefined;
  return { key: value.key, atMs: Date.parse(value.ts), cost: Number(value.cost) || 0 };
}

function added(last: KeyUse | undefined, { atMs, cost }: Head): KeyUse {
  if (!last) return { lastMs: atMs, spent: cost, requests: 1 };
  return {
    lastMs: Math.max(last.lastMs, atMs),
    spent: last.spent + cost,
    requests: last.requests + 1,
  };
}
