import { readdirSync, readFileSync } from 'node:fs';

/** The ids of a process and its descendants at this moment. Linux only. */
export function processTree(pid: number): readonly number[] {
  const children = threads(pid).flatMap((thread) =>
    words(`/proc/${pid}/task/${thread}/children`)
      .filter((word) => word !== '')
      .map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

/**
 * CPU time of a process and its descendants, in user and system mode. Linux only: it adds up the nanoseconds of the
 * threads (`/proc/PID/task/TID/schedstat`), since the ticks of `/proc/PID/stat` are 10 ms long.
 */
export class CpuMeter {
  readonly #pids: readonly number[];
  /** Nanoseconds by thread. A thread that ended keeps its last value. */
  readonly #byThread = new Map<string, number>();

  /** @param extent `alone` leaves out the descendants of the process */
  constructor(pid: number, extent: 'tree' | 'alone' = 'tree') {
    this.#pids = extent === 'tree' ? processTree(pid) : [pid];
  }

  /** @returns microseconds since the process began */
  readUs(): number {
    for (const pid of this.#pids)
      for (const thread of threads(pid)) {
        const [nanoseconds] = words(`/proc/${pid}/task/${thread}/schedstat`);
        if (nanoseconds) this.#byThread.set(`${pid}/${thread}`, Number(nanoseconds));
      }
    let sum = 0;
    for (const nanoseconds of this.#byThread.values()) sum += nanoseconds;
    return sum / 1000;
  }
}

/** Measures how much of the machine's CPU other programs used between `begin()` and `share()`. */
export class OthersMeter {
  readonly #own: readonly CpuMeter[];
  #beganMs = 0;
  #machineUs = 0;
  #ownUs = 0;

  /** @param own all processes that belong to the bench */
  constructor(own: readonly CpuMeter[]) {
    this.#own = own;
  }

  begin(): void {
    this.#beganMs = performance.now();
    this.#machineUs = machineUs();
    this.#ownUs = this.#readOwnUs();
  }

  /** @returns the share of all cores, from 0 to 1; time stolen by a hypervisor counts as used */
  share(): number {
    const others = machineUs() - this.#machineUs - (this.#readOwnUs() - this.#ownUs);
    const allUs = (performance.now() - this.#beganMs) * 1000 * navigator.hardwareConcurrency;
    return Math.max(0, others / allUs);
  }

  #readOwnUs(): number {
    return this.#own.reduce((sum, meter) => sum + meter.readUs(), 0);
  }
}

const TICK_US = 10_000;

/** CPU time of all programs together, in microseconds. */
function machineUs(): number {
  const [, , user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] =
    words('/proc/stat').map(Number);
  return (user + nice + system + irq + softIrq + steal) * TICK_US;
}

function threads(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/task`);
}

/** The words of a file; an empty list if the thread has ended in the meantime. */
function words(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').trim().split(' ');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return [];
    throw cause;
  }
}
