import { readFileSync } from 'node:fs';
import { isLoopback } from '../config/references.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';

/** Where and how a proxy is called. */
export interface Address {
  /** As the user typed it, without a path. */
  readonly shown: string;
  readonly url: URL;
  /** Additional options for fetch. */
  readonly init: Pick<BunFetchRequestInit, 'tls' | 'unix'>;
}

export interface AddressFlags {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly 'client-cert'?: string | undefined;
  readonly 'client-key'?: string | undefined;
}

/** Reads `--url` and the TLS flags. @throws ExitError 2 when they are invalid, 1 when a file cannot be read */
export function addressOf(flags: AddressFlags): Address {
  const socket = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(flags.url)?.[1];
  if (socket !== undefined)
    return { shown: flags.url, url: new URL('http://localhost/'), init: { unix: socket } };
  const url = URL.parse(flags.url);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new ExitError(
      2,
      `Cannot use --url ${flags.url}: expected an http:// or https:// address, or unix:/path/to/socket`,
    );
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (flags.insecure && !isLoopback(host))
    throw new ExitError(
      2,
      `Cannot use --insecure with ${url.host}: only for addresses of this machine; give --ca`,
    );
  const { ca, 'client-cert': cert, 'client-key': key } = flags;
  if ((cert === undefined) !== (key === undefined))
    throw new ExitError(2, 'Cannot use --client-cert without --client-key: give both');
  const tls = {
    ...(ca === undefined ? {} : { ca: textOf(ca) }),
    ...(cert === undefined ? {} : { cert: textOf(cert), key: textOf(key!) }),
    ...(flags.insecure ? { rejectUnauthorized: false } : {}),
  };
  return { shown: url.origin, url, init: Object.keys(tls).length === 0 ? {} : { tls } };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}
