import { readFileSync } from 'node:fs';

/**
 * The number of workers for `auto`: the processors available to this process, by their number and by the quota of its
 * control group.
 */
export function availableProcessors(): number {
  return Math.max(1, Math.min(navigator.hardwareConcurrency, quota(readText) ?? Infinity));
}

/**
 * The quota of the control group in processors, rounded up; `undefined` if there is none. @param read returns the text
 * of a file
 */
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
    // There is no such control group, hence no quota.
    return undefined;
  }
}
