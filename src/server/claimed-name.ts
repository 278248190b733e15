/**
 * Takes a name that is in no folder, that no other llmproxy can take meanwhile, and that the system forgets with this
 * process. Only Linux has such names.
 * @returns how to give it back
 * @throws what Bun throws when it is taken, `code` EADDRINUSE
 */
export function claimName(name: string): () => void {
  if (process.platform !== 'linux') return () => undefined;
  const taken = Bun.listen({ unix: `\0llmproxy ${name}`, socket: { data() {} } });
  taken.unref();
  return () => taken.stop(true);
}
