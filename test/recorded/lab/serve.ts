import type { ConfigInput } from '../../../src/config/schema.ts';
import type { LabOptions } from './lab.ts';
import { serveConfig } from '../../helpers/binary.ts';

/** Starts the compiled binary, which `built` has made. */
export async function serveBinary(config: ConfigInput): ReturnType<LabOptions['serve']> {
  const { url, process } = await serveConfig(config);
  return {
    url,
    async stop() {
      process.kill('SIGKILL');
      await process.exited;
    },
  };
}
