import type { Config } from '../config/schema.ts';
import type { ProxyEvent, Trouble } from '../events.ts';
import type { ConsolaInstance, ConsolaReporter } from 'consola/core';
import { createConsola } from 'consola/core';
import { stderrLines } from './lines/stderr.ts';
import { clockTime, utcTime } from './lines/times.ts';
import { plainLine } from './wrap.ts';

/** The program's own log. */
export interface ProgramLog extends Pick<ConsolaInstance, 'debug' | 'info' | 'warn' | 'error'> {
  /** Tells of a change of state. */
  readonly event: (event: ProxyEvent) => void;
  /** Tells of a trouble that is nobody's request. */
  readonly trouble: (message: string, of: Trouble) => void;
}

const LEVELS = { silent: -999, error: 0, warn: 1, info: 3, debug: 4 } as const;

/**
 * The program's own log: text for people or JSON lines, always on stderr; stdout belongs to data.
 * @param worker which of several workers tells, from 1
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
    trouble: (message, of) => consola.warn(new Told({ kind: of, message })),
    event: (event) => consola[event.level](new Told({ ...event, message: plainLine(event.message) })),
  };
}

interface Named extends Pick<ProxyEvent, 'message' | 'fields'> {
  readonly kind: ProxyEvent['kind'] | Trouble;
}

let outlives = false;

/** Whoever reads stderr may go, as a collector of logs that is restarted does. That must not end what serves. */
function outliveReader(): void {
  if (outlives) return;
  outlives = true;
  process.stderr.on('error', () => undefined);
}

/** What programs tell from others by a name of its own, on its way to a reporter. */
class Told {
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
    const told = args.find((arg) => arg instanceof Told)?.event;
    const what = told && { event: told.kind, ...told.fields };
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

/** When it was, once the program serves: what is said before needs no time. */
function stampOf(date: Date): string {
  if (!stderrLines.stamped) return '';
  const stamp = process.stderr.isTTY === true ? clockTime : utcTime;
  return `${stamp(date.getTime())} `;
}
