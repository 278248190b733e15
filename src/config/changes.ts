import type { Config } from './schema.ts';

/** What makes a provider the service that it is. */
const IDENTITY = ['type', 'base_url', 'region', 'project', 'tenant_id', 'options'] as const;

/** Whether what is known of a provider still holds: another address, or another vendor, is another service. */
export function sameService(name: string, before: Config, after: Config): boolean {
  const find = ({ providers }: Config) => providers.find((provider) => provider.name === name);
  const [old, now] = [find(before), find(after)];
  return (
    old !== undefined && now !== undefined && IDENTITY.every((key) => Bun.deepEquals(old[key], now[key]))
  );
}

/** Keys whose change a running process does not take over: its socket and its log are open. */
export function needRestart(before: Config, after: Config): string[] {
  const parts = {
    'server.host': ({ server }: Config) => server.host,
    'server.port': ({ server }: Config) => server.port,
    'server.unix': ({ server }: Config) => [server.unix, server.unix_mode],
    // Which certificates are which keys is taken over.
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
