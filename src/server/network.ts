import type { ServerBindings } from './context.ts';

/** The origin of a request; `undefined` if it is unknown. */
export function addressOf(request: Request, server: ServerBindings['server']): string | undefined {
  const address = server?.requestIP(request)?.address;
  return address === undefined ? undefined : networkOf(address);
}

/**
 * The origin of a client without a key: its address, or for IPv6 the /64 network, all of which a single machine may
 * use.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [before = '', after] = address.toLowerCase().split('::');
  const first = groupsOf(before);
  const last = groupsOf(after ?? '');
  const left = after === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(left).fill('0'), ...last];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
