import type { CpuMeter } from './cpu.ts';
import type { Load } from './load.ts';

export interface Window {
  readonly requests: number;
  readonly seconds: number;
  /** Microseconds of CPU a request. */
  readonly cpuUs: number;
  readonly latenciesMs: readonly number[];
}

/** How long to warm a subject up. */
export interface Warmth {
  readonly windowMs: number;
  /** Requests before it may be called steady: the first 20,000 pay for the compiler. */
  readonly leastRequests: number;
  /** It is measured as it is after so long. */
  readonly mostMs: number;
}

const STEADY_WITHIN = 0.05;

/** Counts a running load, and what it costs its server, for a while. @throws what the load failed with */
export async function measureWindow(load: Load, cpu: CpuMeter, ms: number): Promise<Window> {
  load.takeLatenciesMs();
  const before = { requests: load.completed(), cpuUs: cpu.readUs(), at: performance.now() };
  await Promise.race([Bun.sleep(ms), load.failed]);
  const requests = load.completed() - before.requests;
  return {
    requests,
    seconds: (performance.now() - before.at) / 1000,
    cpuUs: (cpu.readUs() - before.cpuUs) / requests,
    latenciesMs: load.takeLatenciesMs(),
  };
}

/** Waits until two windows after another cost the same, within 5 %. @returns whether they did in time */
export async function untilSteady(load: Load, cpu: CpuMeter, warmth: Warmth): Promise<boolean> {
  const began = performance.now();
  let last = Number.NaN;
  while (performance.now() - began < warmth.mostMs) {
    const { cpuUs } = await measureWindow(load, cpu, warmth.windowMs);
    const steady = Math.abs(cpuUs - last) <= STEADY_WITHIN * last;
    if (steady && load.completed() >= warmth.leastRequests) return true;
    last = cpuUs;
  }
  return false;
}
