/** Where a cluster keeps a key, and how it says so. */

/** The slots that the keys of a cluster are divided into. */
const SLOTS = 16_384;

/** Another node that a command is to be sent to. */
export interface Redirect {
  /** HOST:PORT; the host is empty where it is that of the node that answered. */
  readonly address: string;
  /** Whether it is so from now on, or for this command alone. */
  readonly isForGood: boolean;
}

/** The slot of a key: that of the part in braces, where there is one. @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1) & 0xff_ff;
  }
  return crc % SLOTS;
}

/** What an error of a node says about another one; `undefined` for any other error. */
export function redirectOf(message: string): Redirect | undefined {
  const [, kind, address] = /^(MOVED|ASK) \d+ (\S+)/.exec(message) ?? [];
  return address === undefined ? undefined : { address, isForGood: kind === 'MOVED' };
}

/** The URL of another node: only the host and the port differ. */
export function urlOf(url: string, { address }: Pick<Redirect, 'address'>): string {
  const at = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, at), address.slice(at + 1)];
  const node = new URL(url);
  if (host !== '') node.hostname = host.includes(':') ? `[${host}]` : host;
  node.port = port;
  return node.href;
}
