import type { Config } from '../config/schema.ts';
import type { Flags, LoggingFlags } from '../workers/messages.ts';
import { openAccess } from '../config/open-access.ts';
import { MAX_WORKERS } from '../config/schema/server.ts';
import { availableProcessors } from '../workers/count.ts';
import { ExitError } from './exit.ts';
import { integerFlag } from './argv/integer.ts';

/** Flags override the file, also after a reload. An address or port given by flag excludes a unix socket. */
export function overrule(config: Config, { host, port, logs, logging }: Flags): void {
  if (host !== undefined || port !== undefined) delete config.server.unix;
  if (host !== undefined) config.server.host = host;
  if (port !== undefined) config.server.port = port;
  if (logs !== undefined) config.logging.requests.directory = logs;
  Object.assign(config.logging, logging);
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
const FORMATS = ['text', 'json'] as const;

interface GivenLogging {
  readonly 'log-level'?: string | undefined;
  readonly 'log-format'?: string | undefined;
  readonly 'show-requests'?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** The flags for the output on stderr. @throws ExitError 2 when one has an invalid value, or two exclude each other */
export function loggingFlags(args: GivenLogging): LoggingFlags {
  const { 'log-level': level, 'log-format': format, 'show-requests': shown, quiet } = args;
  if (quiet && (level !== undefined || shown))
    throw new ExitError(
      2,
      `Cannot use --quiet with --${shown ? 'show-requests' : 'log-level'}: give one of them`,
    );
  return {
    ...(level === undefined ? {} : { level: oneOf('log-level', level, LEVELS) }),
    ...(quiet ? { level: 'warn' } : {}),
    ...(format === undefined ? {} : { format: oneOf('log-format', format, FORMATS) }),
    ...(shown === undefined ? {} : { show_requests: shown ? 'always' : 'never' }),
  };
}

function oneOf<Word extends string>(flag: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  throw new ExitError(
    2,
    `Cannot use --${flag} ${given}: expected ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
  );
}

/**
 * @param server the address to listen on @throws ExitError when anybody could use the proxy without being allowed to
 */
export function refuseOpenAccess(config: Config, server: Config['server']): void {
  const door = openAccess(config, server);
  if (door) throw new ExitError(1, door.message);
}

/** `--workers`. @throws ExitError 2 when it is neither auto nor a number */
export function workersFlag(value: string | undefined): Config['server']['workers'] | undefined {
  if (value === undefined || value === 'auto') return value;
  return integerFlag('workers', value, 1, MAX_WORKERS);
}

/**
 * The number of processes that serve.
 * @param unix the path of the unix socket, which several processes cannot share
 * @param warn called when the address cannot be shared
 */
export function workerCount(
  wanted: Config['server']['workers'],
  unix: string | undefined,
  warn: (message: string) => void,
): number {
  const count = wanted === 'auto' ? Math.min(availableProcessors(), MAX_WORKERS) : wanted;
  if (count > 1 && unix !== undefined) {
    warn(`Cannot share a unix socket between ${count} workers: one process serves`);
    return 1;
  }
  if (count === 1 || process.platform === 'linux') return count;
  warn(`Cannot share a port between ${count} workers on ${process.platform}: one process serves`);
  return 1;
}

/** Converts the error of opening a socket to the end of the program. */
export function cannotListen({ host, port, unix }: Config['server'], cause: unknown): ExitError {
  const { code, message } = cause as { code?: string; message: string };
  if (unix !== undefined)
    return new ExitError(1, `Cannot listen at ${unix}: ${UNIX_REASONS[code ?? ''] ?? message}`);
  const reason = code === 'EADDRINUSE' ? 'the port is in use, choose another with --port' : message;
  return new ExitError(1, `Cannot listen on ${host}:${port}: ${reason}`);
}

const UNIX_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'permission denied',
  ENOENT: 'there is no such directory',
  ENAMETOOLONG: 'the path is longer than 107 bytes',
};
