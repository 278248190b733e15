/** Reads logs from S3 and compatible services. Credentials, region and endpoint come from the environment. */
import { S3Client } from 'bun';
import { InputError } from './problem.ts';

/** An object as it was listed. */
export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

export const S3_SCHEME = 's3://';

/** Splits "s3://bucket/a/b" into bucket and key; the key may be empty. @throws InputError without a bucket */
export function s3Place(name: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(name) ?? [];
  if (bucket === '') throw new InputError(`Cannot read ${name}: expected s3://BUCKET/PREFIX`);
  return { bucket, key };
}

/** All objects below a prefix. @throws InputError */
export async function listObjects(bucket: string, prefix: string): Promise<S3Object[]> {
  const client = clientFor(bucket);
  const objects: S3Object[] = [];
  let continuationToken: string | undefined;
  do {
    const page = await attempted(`${S3_SCHEME}${bucket}/${prefix}`, () =>
      client.list({ prefix, ...(continuationToken === undefined ? {} : { continuationToken }) }),
    );
    for (const { key, size, eTag } of page.contents ?? [])
      objects.push({ bucket, key, bytes: Number(size ?? 0), etag: eTag ?? '' });
    continuationToken = page.isTruncated ? page.nextContinuationToken : undefined;
  } while (continuationToken !== undefined);
  return objects;
}

/** The version of an object as it is now. @throws InputError when it cannot be determined */
export async function currentEtag({ bucket, key }: Pick<S3Object, 'bucket' | 'key'>): Promise<string> {
  const file = clientFor(bucket).file(key);
  const { etag } = await attempted(`${S3_SCHEME}${bucket}/${key}`, () => file.stat());
  return etag;
}

/** The size of one request: each costs a round trip. */
const PART_BYTES = 8 * 1024 ** 2;

/** Reads an object in parts and retries each of them; the content does not change under the reader. */
export class S3Reader {
  readonly #object: S3Object;
  readonly #client: S3Client;
  #part = new Uint8Array(0);
  #used = 0;
  #at = 0;

  constructor(object: S3Object) {
    this.#object = object;
    this.#client = clientFor(object.bucket);
  }

  /** Fills the buffer with the data that is available. @returns 0 at the end; @throws InputError */
  async read(buffer: Buffer): Promise<number> {
    if (this.#used === this.#part.length) await this.#next();
    const bytes = Math.min(buffer.length, this.#part.length - this.#used);
    buffer.set(this.#part.subarray(this.#used, this.#used + bytes));
    this.#used += bytes;
    return bytes;
  }

  async #next(): Promise<void> {
    const { bucket, key, bytes, etag } = this.#object;
    const name = `${S3_SCHEME}${bucket}/${key}`;
    const end = Math.min(bytes, this.#at + PART_BYTES);
    this.#used = 0;
    this.#part = new Uint8Array(0);
    if (this.#at === end) return;
    const file = this.#client.file(key);
    const from = this.#at;
    this.#part = await attempted(name, async () => {
      const part = new Uint8Array(await file.slice(from, end).arrayBuffer());
      if (part.length !== end - from) throw new Error(`got ${part.length} of ${end - from} bytes`);
      return part;
    });
    this.#at = end;
    // A range request does not tell the object's version, so the object is checked after the last one.
    if (end === bytes && etag !== '') {
      const stat = await attempted(name, () => file.stat());
      if (stat.etag !== etag) throw new InputError(`Cannot read ${name}: it was changed while it was read`);
    }
  }
}

const ATTEMPTS = 4;
const FIRST_WAIT_MS = 200;
/** Error codes for which a retry is pointless. */
const FINAL: Readonly<Record<string, string>> = {
  NoSuchKey: 'there is no such object',
  NoSuchBucket: 'there is no such bucket',
  AccessDenied: 'access is denied: check the rights of the key in AWS_ACCESS_KEY_ID',
  InvalidAccessKeyId: 'the key in AWS_ACCESS_KEY_ID is unknown',
  SignatureDoesNotMatch: 'the signature is refused: check AWS_SECRET_ACCESS_KEY, AWS_REGION and the clock',
  ERR_S3_MISSING_CREDENTIALS: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
};

/** Runs an operation and retries it where that may help. @throws InputError in words, without secrets */
async function attempted<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (cause) {
      const { code = '' } = cause as { code?: string };
      const final = Object.hasOwn(FINAL, code) ? FINAL[code] : undefined;
      if (final === undefined && attempt < ATTEMPTS) {
        await Bun.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
        continue;
      }
      const reason = final ?? `${code === '' ? (cause as Error).message : code}, ${ATTEMPTS} times`;
      throw new InputError(`Cannot read ${name}: ${reason}`, { cause });
    }
  }
}

function clientFor(bucket: string): S3Client {
  const { env } = process;
  const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL ?? env.S3_ENDPOINT ?? env.AWS_ENDPOINT;
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? env.S3_REGION;
  return new S3Client({
    bucket,
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? env.S3_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN ?? env.S3_SESSION_TOKEN,
    ...(endpoint === undefined || endpoint === '' ? {} : { endpoint }),
    ...(region === undefined || region === '' ? {} : { region }),
  });
}
