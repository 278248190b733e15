/** Slots and redirects of a cluster. */

/** The number of slots in a cluster. */
const SLOTS = 16_384;

/** The node to which a command has to be sent instead. */
export interface Redirect {
  /** HOST:PORT; an empty host is that of the node that answered. */
  readonly address: string;
  /** Whether this applies to later commands as well. */
  readonly isForGood: boolean;
}

/** The slot of a key, or of its part in braces if there is one. @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1) & 0xff_ff;
  }
  return crc % SLOTS;
}

/** The redirect in an error message; `undefined` for any other error. */
export function redirectOf(message: string): Redirect | undefined {
  const [, kind, address] = /^(MOVED|ASK) \d+ (\S+)/.exec(message) ?? [];
  return address === undefined ? undefined : { address, isForGood: kind === 'MOVED' };
}

/** The URL of another node, with the same credentials and protocol. */
export function urlOf(url: string, { address }: Pick<Redirect, 'address'>): string {
  const at = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, at), address.slice(at + 1)];
  const node = new URL(url);
  if (host !== '') node.hostname = host.includes(':') ? `[${host}]` : host;
  node.port = port;
  return node.href;
}
