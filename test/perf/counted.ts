/** src/main.ts with its objects counted, before a provider, and a client that waits for each answer and each chunk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUNTIME_SETTINGS } from '../../src/cli/runtime-settings.ts';

const ROOT = join(import.meta.dir, '../..');

export type Counts = Readonly<Record<string, number>>;

export interface Counted extends AsyncDisposable {
  readonly url: string;
  /** All that was counted since the program began. */
  readonly counts: () => Promise<Counts>;
}

/** Starts the program, with its log on. @param upstream URL of the only provider, which speaks chat */
export async function counted(upstream: string): Promise<Counted> {
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-counted-'));
  const up = { name: 'up', type: 'openai-compatible', base_url: `${upstream}/v1`, models: ['*'] };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ providers: [up] }));
  let asked = Promise.withResolvers<Counts>();
  const preload = join(import.meta.dir, 'preload.ts');
  const program = [process.execPath, '--no-env-file', '--preload', preload, join(ROOT, 'src/main.ts')];
  const command = [...program, 'serve', '--port', '0', '--log-dir', join(folder, 'logs')];
  const child = Bun.spawn(command, {
    cwd: folder,
    // Set, so that the program has no reason to start itself anew without the channel to its parent.
    env: { ...process.env, ...RUNTIME_SETTINGS, LLMPROXY_DISCOVER_MODELS: 'false' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    ipc: (counts: Counts) => asked.resolve(counts),
  });
  let said = '';
  let url: string | undefined;
  for await (const chunk of child.stdout) {
    said += new TextDecoder().decode(chunk);
    url = /http:\/\/[\d.:]+/.exec(said)?.[0];
    if (url && said.includes('\n')) break;
  }
  const end = async () => {
    child.kill('SIGKILL');
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  if (!url) {
    await end();
    throw new Error(`Cannot start the program: it printed ${JSON.stringify(said)}`);
  }
  return {
    url,
    counts: () => {
      asked = Promise.withResolvers<Counts>();
      child.send('counts');
      return asked.promise;
    },
    [Symbol.asyncDispose]: end,
  };
}
