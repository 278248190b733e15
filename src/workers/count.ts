import { readFileSync } from 'node:fs';

/**
 * How many workers `auto` means: the processors that this process may use, by their number and by the quota of its
 * control group.
 */
export function availableProcessors(): number {
  return Math.max(1, Math.min(navigator.hardwareConcurrency, quota(readText) ?? Infinity));
}

/** Processors by the control group's quota, rounded up; `undefined` where there is none. @param read a file's text */
export function quota(read: (path: string) => string | undefined): number | undefined {
  const [most, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').split(' ');
  const first = ratio(most, period);
  if (first !== undefined) return first;
  return ratio(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'), read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'));
}

function ratio(most: string | undefined, period: string | undefined): number | undefined {
  const processors = Number(most) / Number(period);
  return processors > 0 && Number.isFinite(processors) ? Math.ceil(processors) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    // No such control group: nothing is said about processors.
    return undefined;
  }
}
