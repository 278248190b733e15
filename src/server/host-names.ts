/**
 * The host name in a `Host` header or in `server.hosts`, normalised and without its port.
 * @returns `undefined` for an invalid host name
 */
export function hostName(text: string): string | undefined {
  // A URL parser accepts more than a host here: in "localhost@evil.example" only the last part is the host.
  if (!/^[\w.:[\]-]+$/.test(text)) return undefined;
  return URL.parse(`http://${text}`)?.hostname.replace(/\.$/, '');
}

/** IPv4 loopback as an IPv6 address: ::ffff:127.0.0.0/104, as URLs write it. */
const MAPPED = /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/;

/**
 * Whether a name, normalised by {@link hostName}, always means the caller's own machine, whatever a name server says.
 */
export function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name) || MAPPED.test(name);
}
