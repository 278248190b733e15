import { claimName } from '../server/claimed-name.ts';

/** A port that no other program uses, and that no other llmproxy can take before it is released. */
export interface ClaimedPort {
  readonly port: number;
  release(): void;
}

/**
 * Reserves a free port: workers share the port, and would silently join another program that shares it too.
 * @param port 0 selects a free one
 * @throws as Bun does when it cannot listen, above all with `code` EADDRINUSE
 */
export async function claimPort(host: string, port: number): Promise<ClaimedPort> {
  // Until the first worker listens, the port itself is free. Another llmproxy that starts at this moment finds the name taken, and
  // does not test the port, which would prevent a worker from listening.
  let release = port === 0 ? undefined : claimName(`${host} ${port}`);
  try {
    const probe = Bun.serve({ hostname: host, port, fetch: () => new Response() });
    const free = probe.port ?? port;
    release ??= claimName(`${host} ${free}`);
    await probe.stop(true);
    return { port: free, release };
  } catch (thrown) {
    release?.();
    throw thrown;
  }
}
