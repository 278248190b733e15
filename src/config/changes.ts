import type { Config } from './schema.ts';

/** The settings that determine which service a provider is. */
const IDENTITY = ['type', 'base_url', 'region', 'project', 'tenant_id', 'options'] as const;

/** The names of the providers whose state stays valid: another address or another vendor is another service. */
export function sameServices(before: Config, after: Config): ReadonlySet<string> {
  const known = new Map(before.providers.map((provider) => [provider.name, provider]));
  const same = after.providers.filter((now) => {
    const old = known.get(now.name);
    return old !== undefined && IDENTITY.every((key) => Bun.deepEquals(old[key], now[key]));
  });
  return new Set(same.map(({ name }) => name));
}

/** Keys whose change takes a restart, since the socket and the log are already open. */
export function needRestart(before: Config, after: Config): string[] {
  const parts = {
    'server.host': ({ server }: Config) => server.host,
    'server.port': ({ server }: Config) => server.port,
    'server.unix': ({ server }: Config) => [server.unix, server.unix_mode],
    // The mapping from certificates to keys is reloaded.
    'server.tls': ({ server: { tls } }: Config) => tls && { ...tls, client_certs: undefined },
    'server.http2': ({ server }: Config) => server.http2,
    'server.workers': ({ server }: Config) => server.workers,
    'limits.realtime.max_message': ({ limits }: Config) => limits.realtime.max_message,
    'state.redis': ({ state }: Config) => [state.redis, state.redis_timeout, state.replicas],
    logging: ({ logging }: Config) => logging,
    telemetry: ({ telemetry }: Config) => telemetry,
  };
  return Object.entries(parts)
    .filter(([, part]) => !Bun.deepEquals(part(before), part(after)))
    .map(([key]) => key);
}
