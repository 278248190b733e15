/**
 * Claims a name that is in no directory, that no other llmproxy can claim at the same time, and that the system
 * releases with this process. Only Linux has such names.
 * @returns a function that releases it
 * @throws as Bun does when it is taken, `code` EADDRINUSE
 */
export function claimName(name: string): () => void {
  if (process.platform !== 'linux') return () => undefined;
  const taken = Bun.listen({ unix: `\0llmproxy ${name}`, socket: { data() {} } });
  taken.unref();
  return () => taken.stop(true);
}
