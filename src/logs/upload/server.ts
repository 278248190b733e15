/** Determines the server to upload to. */
import type { Upload } from '../../config/schema/upload.ts';
import { placeOf } from './object-key.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface UploadServer {
  readonly region: string;
  /** The URL of the bucket, without a trailing slash. */
  readonly bucketUrl: string;
}

/** From the configuration, then from the environment variables that AWS tools use. */
export function uploadServer({ url, region, endpoint }: Upload, env: Env): UploadServer {
  const { bucket } = placeOf(url);
  const set = (...names: string[]) => names.map((name) => env[name]).find((value) => value);
  const where = region ?? set('AWS_REGION', 'AWS_DEFAULT_REGION') ?? 'us-east-1';
  const suffix = where.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const server =
    endpoint ?? set('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL') ?? `https://s3.${where}.${suffix}`;
  return { region: where, bucketUrl: `${server.replace(/\/+$/, '')}/${bucket}` };
}
