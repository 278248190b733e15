/**
 * The host name of a `Host` header or of `server.hosts`, in one spelling and without its port.
 * @returns `undefined` for what is no host name
 */
export function hostName(text: string): string | undefined {
  // A URL reads more than a host there: of "localhost@evil.example" only the end is one.
  if (!/^[\w.:[\]-]+$/.test(text)) return undefined;
  return URL.parse(`http://${text}`)?.hostname.replace(/\.$/, '');
}

/** IPv4 loopback as an IPv6 address: ::ffff:127.0.0.0/104, as URLs spell it. */
const MAPPED = /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/;

/** Whether a name, as {@link hostName} spells it, leads to the caller's own machine, whatever a name server says. */
export function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name) || MAPPED.test(name);
}
