import type { Config } from '../config/schema.ts';
import type { ProxyEvent, Trouble } from '../events.ts';
import type { ConsolaInstance, ConsolaReporter } from 'consola/core';
import { createConsola } from 'consola/core';
import { stderrLines } from './lines/stderr.ts';
import { clockTime, utcTime } from './lines/times.ts';
import { plainLine } from './wrap.ts';

/** The program's own log. */
export interface ProgramLog extends Pick<ConsolaInstance, 'debug' | 'info' | 'warn' | 'error'> {
  /** Reports a change of state. */
  readonly event: (event: ProxyEvent) => void;
  /** Reports a problem that does not belong to a request. */
  readonly trouble: (message: string, of: Trouble) => void;
}

const LEVELS = { silent: -999, error: 0, warn: 1, info: 3, debug: 4 } as const;

/**
 * The program's own log: text for people or JSON lines, always on stderr; stdout is for data.
 * @param worker the number of this worker, from 1
 */
export function programLog(
  logging: Pick<Config['logging'], 'level' | 'format'>,
  worker?: number,
): ProgramLog {
  outliveReader();
  const reporter = logging.format === 'json' ? jsonReporter(worker) : textReporter(worker);
  const consola = createConsola({
    level: LEVELS[logging.level],
    reporters: [reporter],
    stdout: process.stderr,
    stderr: process.stderr,
  });
  return {
    debug: consola.debug,
    info: consola.info,
    warn: consola.warn,
    error: consola.error,
    trouble: (message, of) => consola.warn(new LogEvent({ kind: of, message })),
    event: (event) => consola[event.level](new LogEvent({ ...event, message: plainLine(event.message) })),
  };
}

interface Named extends Pick<ProxyEvent, 'message' | 'fields'> {
  readonly kind: ProxyEvent['kind'] | Trouble;
}

let outlives = false;

/** The reader of stderr may exit, as a restarted log collector does. That must not end the server. */
function outliveReader(): void {
  if (outlives) return;
  outlives = true;
  process.stderr.on('error', () => undefined);
}

/** The name by which programs tell messages apart, on its way to a reporter. */
class LogEvent {
  readonly event: Named;

  constructor(event: Named) {
    this.event = event;
  }

  toString(): string {
    return this.event.message;
  }
}

const jsonReporter = (worker: number | undefined): ConsolaReporter => ({
  log({ date, type, args }) {
    const who = worker === undefined ? {} : { worker };
    const logged = args.find((arg) => arg instanceof LogEvent)?.event;
    const what = logged && { event: logged.kind, ...logged.fields };
    const message = args.map(String).join(' ');
    stderrLines.write(JSON.stringify({ ts: date.toISOString(), level: type, ...who, ...what, message }));
  },
});

const textReporter = (worker: number | undefined): ConsolaReporter => ({
  log({ date, type, args }) {
    const who = worker === undefined ? '' : `worker ${worker}: `;
    const prefix = type === 'warn' ? 'warning: ' : type === 'error' || type === 'fatal' ? 'error: ' : '';
    stderrLines.write(`${stampOf(date)}${prefix}${who}${args.map(String).join(' ')}`);
  },
});

/** The time, once the program serves: start-up messages need none. */
function stampOf(date: Date): string {
  if (!stderrLines.stamped) return '';
  const stamp = process.stderr.isTTY === true ? clockTime : utcTime;
  return `${stamp(date.getTime())} `;
}
