/** Settings of Bun that must be in the environment before a program begins. Those that are set already are kept. */
export const RUNTIME_SETTINGS: Readonly<Record<string, string>> = {
  // Bun allows 256 parallel requests by default, and streams count until they end.
  BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
  // How long the allocator keeps freed memory before it returns it to the system, milliseconds. By default it returns
  // it at once, and a request of 1 MB then spends a seventh of its CPU time on getting it back.
  MIMALLOC_PURGE_DELAY: '1000',
};

/** Replaces this process by one with these settings, unless it has them. */
export function applyRuntimeSettings(): void {
  if (process.execve === undefined || process.platform === 'win32') return;
  if (Object.keys(RUNTIME_SETTINGS).every((name) => process.env[name] !== undefined)) return;
  const env = { ...RUNTIME_SETTINGS, ...process.env };
  const compiled = Bun.main.startsWith('/$bunfs/');
  const args = compiled ? process.argv.slice(2) : process.argv.slice(1);
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...args], env);
}
