/** Checks limits, disks and ports of this machine. */
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { fileReason } from '../../logs/names.ts';
import { nearestExisting, whyUnwritable } from '../directories.ts';
import type { Finding } from './finding.ts';
import { failed, ok, skipped, warning } from './finding.ts';

/** The connections of one request, to the client and to the provider; and the other files that the program opens. */
const FILES_A_REQUEST = 2;
const OTHER_FILES = 256;

/** Checks the limit on open files for a number of parallel requests. */
export function checkOpenFiles({ limits }: Pick<Config, 'limits'>): Finding {
  const wanted = limits.max_concurrent * FILES_A_REQUEST + OTHER_FILES;
  const most = openFiles();
  if (most === undefined) return skipped('open files', `the limit cannot be read on ${process.platform}`);
  const requests = Math.max(0, Math.floor((most - OTHER_FILES) / FILES_A_REQUEST));
  if (most >= wanted) return ok('open files', `${shown(most)} at once`);
  return warning(
    'open files',
    `${shown(most)} at once are enough for ${shown(requests)} requests; limits.max_concurrent is ${shown(limits.max_concurrent)}`,
    `\`ulimit -n ${2 ** Math.ceil(Math.log2(wanted))}\`, or LimitNOFILE= of a systemd unit.`,
  );
}

function openFiles(): number | undefined {
  if (process.platform === 'win32') return undefined;
  if (existsSync('/proc/self/limits')) {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return line === 'unlimited' ? Infinity : line === undefined ? undefined : Number(line);
  }
  const { stdout } = Bun.spawnSync(['/bin/sh', '-c', 'ulimit -n']);
  const text = stdout.toString().trim();
  return text === 'unlimited' ? Infinity : Number(text) || undefined;
}

const MIB = 1024 * 1024;
const LITTLE = 1024 * MIB;
const NOTHING = 64 * MIB;

/** The directories that the configuration writes to. */
export function checkDirectories(
  config: Pick<Config, 'logging' | 'state' | 'rate_limits' | 'groups' | 'auth'>,
): Finding[] {
  const { requests } = config.logging;
  const logs = requests.enabled
    ? [checkDirectory('request log', requests.directory, 'logging.requests.directory')]
    : [ok('request log', 'off (logging.requests.enabled)')];
  const limited = config.rate_limits.length > 0 || Object.keys(config.groups).length > 0;
  const keyed = config.auth !== undefined && config.auth !== 'none';
  return limited || keyed
    ? [...logs, checkDirectory('state', config.state.directory, 'state.directory')]
    : logs;
}

function checkDirectory(name: string, directory: string, key: string): Finding {
  const reason = whyUnwritable(directory);
  const elsewhere = `Make it writable, or name another one in ${key}.`;
  if (reason !== undefined) return failed(name, `${directory} cannot be written: ${reason}`, elsewhere);
  const place = nearestExisting(directory);
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const message = `${directory}${place === resolve(directory) ? '' : ' (to be created)'}: writable, ${sizeText(free)} free`;
  const room = 'Free up space, or set logging.requests.max_total and retention.';
  if (free < NOTHING) return failed(name, message, room);
  return free < LITTLE ? warning(name, message, room) : ok(name, message);
}

function sizeText(bytes: number): string {
  const gib = bytes / (1024 * MIB);
  return gib >= 1 ? `${shown(Math.floor(gib))} GiB` : `${Math.floor(bytes / MIB)} MiB`;
}

function shown(count: number): string {
  return Number.isFinite(count) ? count.toLocaleString('en-US') : 'unlimited';
}

/** Whether the proxy could listen on its address, or already does. */
export async function checkPort(
  { host, port, unix }: Config['server'],
  signal: AbortSignal,
): Promise<Finding> {
  if (unix !== undefined) return checkSocket(unix);
  const where = `${host}:${port}`;
  if (port === 0) return ok('port', `${host}, a free one`);
  const code = await listenCode(host, port);
  if (code === undefined) return ok('port', `${where} is free`);
  if (code === 'EADDRINUSE') {
    if (await isLlmproxy(host, port, signal)) return ok('port', `${where}: llmproxy answers there`);
    return failed(
      'port',
      `${where} is in use by another program`,
      'Choose another with --port or server.port.',
    );
  }
  return failed('port', `${where}: ${PORT_REASONS[code] ?? code}`, PORT_FIXES[code]);
}

const PORT_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host name',
};

const PORT_FIXES: Readonly<Record<string, string>> = {
  EACCES: 'Choose a port from 1024 on, or give the program CAP_NET_BIND_SERVICE.',
  EADDRNOTAVAIL: 'Set server.host to an address of this machine, or to 0.0.0.0.',
  ENOTFOUND: 'Set server.host to an address of this machine, or to 0.0.0.0.',
};

/** Why a port is not available; `undefined` if it is. */
function listenCode(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve: settle } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  server.listen({ host, port, exclusive: true }, () => server.close(() => settle(undefined)));
  return promise;
}

async function isLlmproxy(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const name =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  const answers = ['http', 'https'].map(async (scheme) => {
    const tls = { rejectUnauthorized: false };
    const response = await fetch(`${scheme}://${name}:${port}/health`, { signal, tls, redirect: 'manual' });
    const body = (await response.json()) as { status?: unknown };
    return (
      typeof body.status === 'string' && ['healthy', 'degraded', 'unhealthy', 'ok'].includes(body.status)
    );
  });
  return (await Promise.allSettled(answers)).some((each) => each.status === 'fulfilled' && each.value);
}

function checkSocket(path: string): Finding {
  const folder = dirname(resolve(path));
  if (!existsSync(folder))
    return failed('socket', `${path}: there is no directory ${folder}`, 'Create it, or set server.unix.');
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return ok('socket', `${path} can be created`);
  } catch (cause) {
    return failed(
      'socket',
      `${path}: ${fileReason(cause)}`,
      'Make its directory writable, or set server.unix.',
    );
  }
}
