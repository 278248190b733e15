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
  const probe = Bun.serve({ hostname: host, port, fetch: () => new Response() });
  const free = probe.port ?? port;
  try {
    // The port is nobody's until the first worker listens. Another llmproxy that looks just then finds this name
    // taken; it is in no folder, and the system forgets it with this process.
    const claim = Bun.listen({ unix: `\0llmproxy ${host} ${free}`, socket: { data() {} } });
    claim.unref();
    return { port: free, release: () => claim.stop(true) };
  } finally {
    await probe.stop(true);
  }
}
