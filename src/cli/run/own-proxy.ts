import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { createProxy } from '../../proxy.ts';
import { listen } from '../../server/listen.ts';
import { ExitError } from '../exit.ts';
import type { LoadedSource } from '../source.ts';

/** A proxy in this process, which ends with it. */
export interface OwnProxy {
  readonly base: string;
  /** Its messages, collected: they must not disturb a program that uses the terminal. */
  readonly problems: readonly string[];
  end(): Promise<void>;
}

/** How long answers in progress may take after the program has exited, milliseconds. */
const DRAIN_MS = 2_000;

/** Serves on a free port of this machine. @throws ExitError when it cannot */
export async function beginProxy(source: LoadedSource): Promise<OwnProxy> {
  const config = { ...source.config };
  config.server = { ...config.server, host: '127.0.0.1', port: 0 };
  delete config.server.unix;
  delete config.server.tls;
  if (source.manager === undefined) keepOutOfFolder(config);
  const problems: string[] = [];
  try {
    const proxy = createProxy(config, {
      env: process.env,
      onProblem: (message) => void (problems.length < 20 && problems.push(message)),
      keepsUsage: true,
      plugins: source.plugins,
      discovery: { asks: true },
    });
    await proxy.recover();
    const listener = listen(proxy, { host: '127.0.0.1', port: 0 });
    void proxy.warm();
    return {
      base: listener.url,
      problems,
      async end() {
        proxy.drain();
        await listener.drain(DRAIN_MS, proxy);
        await proxy.close();
      },
    };
  } catch (thrown) {
    throw new ExitError(1, `Cannot start a proxy: ${(thrown as Error).message}`);
  }
}

/** Without a configuration its files go to the home directory rather than the current one. */
function keepOutOfFolder(config: Config): void {
  const folder = join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'llmproxy');
  config.state = { ...config.state, directory: join(folder, 'state') };
  const requests = { ...config.logging.requests, directory: join(folder, 'logs') };
  config.logging = { ...config.logging, requests };
}
