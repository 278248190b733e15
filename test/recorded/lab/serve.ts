import type { ConfigInput } from '../../../src/config/schema.ts';
import type { LabOptions } from './lab.ts';
import type { Serving } from '../../helpers/binary.ts';
import { serveConfig, serveConfigFrom } from '../../helpers/binary.ts';

/** Starts the compiled binary, which `built` has made. */
export async function serveBinary(config: ConfigInput): ReturnType<LabOptions['serve']> {
  return stoppable(await serveConfig(config));
}

/** Starts a `main.ts` with Bun. */
export function serveSource(main: string): LabOptions['serve'] {
  return async (config) =>
    stoppable(await serveConfigFrom([process.execPath, '--no-env-file', main], config));
}

function stoppable({ url, process: child }: Serving): Awaited<ReturnType<LabOptions['serve']>> {
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
