import type { Config } from '../config/schema.ts';
import type { ConsolaInstance, ConsolaReporter } from 'consola/core';
import { createConsola } from 'consola/core';

/**
 * The program's own log: text for people or JSON lines, always on stderr; stdout belongs to data.
 * @param worker which of several workers tells, from 1
 */
export function programLog(
  logging: Pick<Config['logging'], 'level' | 'format'>,
  worker?: number,
): ConsolaInstance {
  outliveReader();
  const levels = { silent: -999, error: 0, warn: 1, info: 3, debug: 4 } as const;
  const reporter = logging.format === 'json' ? jsonReporter(worker) : textReporter(worker);
  return createConsola({
    level: levels[logging.level],
    reporters: [reporter],
    stdout: process.stderr,
    stderr: process.stderr,
  });
}

let outlives = false;

/** Whoever reads stderr may go, as a collector of logs that is restarted does. That must not end what serves. */
function outliveReader(): void {
  if (outlives) return;
  outlives = true;
  process.stderr.on('error', () => undefined);
}

const jsonReporter = (worker: number | undefined): ConsolaReporter => ({
  log({ date, type, args }) {
    const who = worker === undefined ? {} : { worker };
    const line = { ts: date.toISOString(), level: type, ...who, message: args.map(String).join(' ') };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  },
});

const textReporter = (worker: number | undefined): ConsolaReporter => ({
  log({ type, args }) {
    const who = worker === undefined ? '' : `worker ${worker}: `;
    const prefix = type === 'warn' ? 'warning: ' : type === 'error' || type === 'fatal' ? 'error: ' : '';
    process.stderr.write(`${prefix}${who}${args.map(String).join(' ')}\n`);
  },
});
