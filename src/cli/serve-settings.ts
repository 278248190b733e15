import type { Config } from '../config/schema.ts';
import type { Flags } from '../workers/messages.ts';
import { isLoopback } from '../config/references.ts';
import { MAX_WORKERS } from '../config/schema.ts';
import { availableProcessors } from '../workers/count.ts';
import { ExitError } from './exit.ts';
import { integerFlag } from './flags.ts';

/** Flags go before the file, also when it is read again. */
export function overrule(config: Config, { host, port, logs }: Flags): void {
  if (host !== undefined) config.server.host = host;
  if (port !== undefined) config.server.port = port;
  if (logs !== undefined) config.logging.requests.directory = logs;
}

/** An address that others reach needs keys, or the written word that it does not. */
export function refuseOpenDoor({ auth }: Config, host: string): void {
  if (auth !== undefined || isLoopback(host)) return;
  throw new ExitError(
    1,
    `Cannot listen on ${host}: others could use your keys. Add auth.keys to the configuration, or write auth: none if that is wanted`,
  );
}

/** `--workers`. @throws ExitError 2 when it is neither auto nor a number */
export function workersFlag(value: string | undefined): Config['server']['workers'] | undefined {
  if (value === undefined || value === 'auto') return value;
  return integerFlag('workers', value, 1, MAX_WORKERS);
}

/**
 * How many processes are to serve.
 * @param warn told where the system cannot share a port between them
 */
export function workerCount(wanted: Config['server']['workers'], warn: (message: string) => void): number {
  const count = wanted === 'auto' ? Math.min(availableProcessors(), MAX_WORKERS) : wanted;
  if (count === 1 || process.platform === 'linux') return count;
  warn(`Cannot share a port between ${count} workers on ${process.platform}: one process serves`);
  return 1;
}

/** Why a socket cannot be opened, as the end of the program. */
export function cannotListen({ host, port }: Config['server'], cause: unknown): ExitError {
  const { code, message } = cause as { code?: string; message: string };
  const reason = code === 'EADDRINUSE' ? 'the port is in use, choose another with --port' : message;
  return new ExitError(1, `Cannot listen on ${host}:${port}: ${reason}`);
}
