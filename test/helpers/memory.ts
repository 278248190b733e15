import type { Serving } from './binary.ts';
import { readFileSync } from 'node:fs';

/** The peak memory of a process in bytes; 0 if the system does not report it. */
export function peakBytes({ process: { pid } }: Serving): number {
  return statusOf(pid, 'VmHWM');
}

/** The current memory of a process in bytes; 0 if the system does not report it. */
export function residentBytes({ process: { pid } }: Serving): number {
  return statusOf(pid, 'VmRSS');
}

function statusOf(pid: number, name: string): number {
  if (process.platform !== 'linux') return 0;
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line![1]) * 1024;
}
