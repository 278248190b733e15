import type { Config } from '../config/schema.ts';
import { uploadServer } from '../logs/upload/server.ts';
import type { LogWriterDeps } from '../logs/writer.ts';
import { awsCredentials } from '../providers/auth/aws.ts';
import type { ProxyDeps } from './contract.ts';

interface UploadDeps extends Pick<ProxyDeps, 'env' | 'workers'> {
  readonly random: () => number;
  /** Called with secrets before they are used. */
  readonly hide: (...secrets: string[]) => void;
}

/** The dependencies of request log uploads; `undefined` if there are none. */
export function uploadAccess(
  { logging }: Config,
  { env, workers = 0, random, hide }: UploadDeps,
): LogWriterDeps['upload'] {
  const { upload } = logging.requests;
  if (!upload) return undefined;
  const readText = (path: string) => Bun.file(path).text();
  return {
    server: uploadServer(upload, env),
    workers,
    random,
    async credentials() {
      const found = await awsCredentials(upload.profile, { env, readText, hide });
      if (found) hide(found.secretAccessKey, ...(found.sessionToken ? [found.sessionToken] : []));
      return found;
    },
  };
}
