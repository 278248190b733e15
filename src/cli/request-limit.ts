/** Bun allows 256 parallel requests unless it is configured before the start, and streams count until they end. */
export function liftRequestLimit(): void {
  if (process.env.BUN_CONFIG_MAX_HTTP_REQUESTS !== undefined || process.execve === undefined) return;
  if (process.platform === 'win32') return;
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' };
  const compiled = Bun.main.startsWith('/$bunfs/');
  const args = compiled ? process.argv.slice(2) : process.argv.slice(1);
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...args], env);
}
