import type { CpuMeter } from './cpu.ts';
import type { Load, LoadOptions } from './load.ts';
import { startLoad } from './load.ts';
import type { Run } from './row.ts';

export interface Window {
  readonly completed: number;
  readonly seconds: number;
  /** Microseconds of CPU for each completed item. */
  readonly cpuUs: number;
  readonly latenciesMs: readonly number[];
}

/** Two windows in succession are steady if their cost differs by at most this share. */
const STEADY_WITHIN = 0.05;
/** The minimum number of completed items in a window; the windows of slow subjects are longer. */
const LEAST_IN_WINDOW = 50;
const GIVE_UP_MS = 30_000;

/**
 * Loads an instance until it is steady, or for as long as the effort allows, and then measures a few windows.
 * @param least the number of items to complete before it counts as steady, at full effort
 * @throws the error of the load
 */
export async function steadyWindows(
  { subject, instance, cpu, effort, tell }: Run,
  options: LoadOptions & { readonly least: number },
): Promise<readonly Window[]> {
  const load = startLoad(instance.url, options);
  const windows: Window[] = [];
  try {
    const beganMs = performance.now();
    const warmMs = () => performance.now() - beganMs;
    let [last, steady] = [Number.NaN, false];
    while (!steady && warmMs() < effort.warmMs) {
      const { cpuUs } = await measureWindow(load, cpu, effort.windowMs);
      const warm = warmMs() >= effort.leastWarmMs && load.completed() >= options.least * effort.share;
      steady = warm && Math.abs(cpuUs - last) <= STEADY_WITHIN * last;
      last = cpuUs;
    }
    if (!steady) tell(`${subject.name} is not steady after ${Math.round(warmMs() / 1000)} s`);
    for (let n = 0; n < effort.windows; n += 1) windows.push(await measureWindow(load, cpu, effort.windowMs));
  } finally {
    load.stop();
  }
  return windows;
}

/** Counts the completed items of a running load, and the CPU time of its server, for a while. */
async function measureWindow(load: Load, cpu: CpuMeter, ms: number): Promise<Window> {
  load.takeLatenciesMs();
  const before = { completed: load.completed(), cpuUs: cpu.readUs(), at: performance.now() };
  let completed = 0;
  do {
    await Promise.race([Bun.sleep(ms), load.failed]);
    completed = load.completed() - before.completed;
  } while (completed < LEAST_IN_WINDOW && performance.now() - before.at < GIVE_UP_MS);
  if (completed === 0) throw new Error(`nothing was completed in ${GIVE_UP_MS / 1000} s`);
  return {
    completed,
    seconds: (performance.now() - before.at) / 1000,
    cpuUs: (cpu.readUs() - before.cpuUs) / completed,
    latenciesMs: load.takeLatenciesMs(),
  };
}
