import type { Serving } from './binary.ts';
import { readFileSync } from 'node:fs';

/** The most that a process ever had in memory, bytes; 0 where the system does not tell. */
export function peakBytes({ process: { pid } }: Serving): number {
  return statusOf(pid, 'VmHWM');
}

/** What a process has in memory now, bytes; 0 where the system does not tell. */
export function residentBytes({ process: { pid } }: Serving): number {
  return statusOf(pid, 'VmRSS');
}

function statusOf(pid: number, name: string): number {
  if (process.platform !== 'linux') return 0;
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line![1]) * 1024;
}
