import { claimName } from '../server/claimed-name.ts';

/** A port that no other program has, and that no other llmproxy can have before it is given back. */
export interface ClaimedPort {
  readonly port: number;
  release(): void;
}

/**
 * Makes sure that the port is free: workers share it, and so would join another program that shares it too, without a
 * word.
 * @param port 0 picks a free one
 * @throws what Bun throws when it cannot listen, `code` EADDRINUSE above all
 */
export async function claimPort(host: string, port: number): Promise<ClaimedPort> {
  // The port is nobody's until the first worker listens. Another llmproxy that begins just then finds the name taken,
  // and must not even look at the port, which would keep a worker from it.
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
