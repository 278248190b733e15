import { readdirSync, readFileSync } from 'node:fs';

/** A process and those it started, as they are now. Linux only. */
export function processTree(pid: number): readonly number[] {
  const children = threads(pid).flatMap((thread) =>
    words(`/proc/${pid}/task/${thread}/children`)
      .filter((word) => word !== '')
      .map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

/**
 * CPU time of a process and those it started, in user and system mode. Linux only: it adds up the nanoseconds of the
 * threads (`/proc/PID/task/TID/schedstat`), since the ticks of `/proc/PID/stat` are 10 ms long.
 */
export class CpuMeter {
  readonly #pids: readonly number[];
  /** Nanoseconds by thread. One that ended keeps what it was last seen with. */
  readonly #byThread = new Map<string, number>();

  constructor(pid: number) {
    this.#pids = processTree(pid);
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

function threads(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/task`);
}

/** The words of a file, none when the thread has ended meanwhile. */
function words(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').trim().split(' ');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return [];
    throw cause;
  }
}
