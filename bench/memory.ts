import { existsSync, readFileSync } from 'node:fs';

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kb = existsSync(status)
    ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]
    : Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(pid)]).stdout.toString();
  return Number(kb) / 1024;
}

/** Private memory that a process has written to, in MB. Linux only. */
export function privateMb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/Private_Dirty:\s+(\d+)/.exec(rollup)?.[1]) / 1024;
}

/** Memory growth over the second half of a run: a least-squares line through its samples. */
export function growth(samples: readonly { atMs: number; mb: number }[]): {
  slopeMbPerMinute: number;
  grownMb: number;
  lastMb: number;
} {
  const half = samples.slice(samples.length >> 1);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = mean(half.map(({ atMs }) => atMs));
  const mb = mean(half.map((sample) => sample.mb));
  const spread = half.reduce((sum, { atMs }) => sum + (atMs - at) ** 2, 0);
  const slope = half.reduce((sum, sample) => sum + (sample.atMs - at) * (sample.mb - mb), 0) / (spread || 1);
  const spanMs = (half.at(-1)?.atMs ?? 0) - (half[0]?.atMs ?? 0);
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    slopeMbPerMinute: rounded(slope * 60_000),
    grownMb: rounded(slope * spanMs),
    lastMb: rounded(half.at(-1)?.mb ?? 0),
  };
}
