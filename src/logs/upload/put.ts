/** Uploads one file to S3 with a single request, so that the object exists completely or not at all. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { sleep } from '../../clock.ts';
import { Abort } from '../../abort.ts';
import { connectionError, refusalOf, UploadError } from './refusal.ts';

/** Credentials for AWS or a compatible service. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface PutTarget {
  /** The URL of the object. */
  readonly url: URL;
  readonly region: string;
  readonly credentials: S3Credentials;
}

export interface PutDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The limit in bytes per second; 0 for none. */
  readonly rate: number;
  /** How long the server may neither accept nor send anything, milliseconds. */
  readonly stallMs: number;
}

/** The size of one read, bytes. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Uploads a file, lets the server verify the data, and checks the object. @returns its SHA-256, hexadecimal. @throws
 * UploadError
 */
export async function putFile(
  file: FileHandle,
  size: number,
  target: PutTarget,
  deps: PutDeps,
): Promise<string> {
  const sums = { sha256: createHash('sha256'), md5: createHash('md5') };
  for await (const chunk of chunksOf(file, size, { ...deps, rate: 0 })) {
    sums.sha256.update(chunk);
    sums.md5.update(chunk);
  }
  const sha256 = sums.sha256.digest();
  const expected = { size, sha256: sha256.toString('base64'), md5: sums.md5.digest('hex') };
  const headers = {
    'content-type': 'application/octet-stream',
    'x-amz-checksum-sha256': expected.sha256,
    // It is signed, so that servers without checksum support verify it as well.
    'x-amz-content-sha256': sha256.toString('hex'),
  };
  const put = await signedFetch('PUT', target, headers, { ...deps, body: { file, size } });
  if (put.status !== 200) throw refusalOf(put.status, put.body, deps.clock.now());
  verify(put.headers, expected);
  const head = await signedFetch('HEAD', target, { 'x-amz-checksum-mode': 'ENABLED' }, deps);
  // Write-only credentials are legitimate: the server's answer about the checksum must suffice then.
  if (head.status === 403) return sha256.toString('hex');
  if (head.status !== 200)
    throw new UploadError(`the object cannot be verified: the server answered ${head.status}`);
  if (Number(head.headers.get('content-length')) !== size)
    throw new UploadError('the size of the stored object differs from that of the file');
  verify(head.headers, expected);
  return sha256.toString('hex');
}

/**
 * Error codes after which no upload can succeed. Other refusals may concern listing only: credentials may be
 * write-only.
 */
const TELLING =
  /<Code>(NoSuchBucket|InvalidBucketName|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|RequestTimeTooSkewed|PermanentRedirect|AuthorizationHeaderMalformed)</;

/**
 * Lists the bucket to detect misconfiguration early: it may take a day until the first file is complete.
 * @param target with the URL of the bucket @throws UploadError if no upload can succeed
 */
export async function checkBucket({ url, ...target }: PutTarget, deps: PutDeps): Promise<void> {
  const list = new URL('?list-type=2&max-keys=1', url);
  const { status, body } = await signedFetch('GET', { ...target, url: list }, {}, deps);
  if (TELLING.test(body)) throw refusalOf(status, body, deps.clock.now());
}

/** Compares the object's properties as reported by the server. */
function verify(headers: Headers, { sha256, md5 }: { readonly sha256: string; readonly md5: string }): void {
  const reported = headers.get('x-amz-checksum-sha256');
  if (reported !== null && reported !== sha256)
    throw new UploadError('the checksum of the stored object differs from that of the file');
  if (reported !== null) return;
  // For objects encrypted with customer keys, the ETag is not the MD5.
  const encryption = headers.get('x-amz-server-side-encryption') ?? 'AES256';
  const customer = headers.has('x-amz-server-side-encryption-customer-algorithm');
  const etag = /^"?([0-9a-f]{32})"?$/.exec(headers.get('etag') ?? '')?.[1];
  if (etag !== undefined && encryption === 'AES256' && !customer && etag !== md5)
    throw new UploadError('the checksum of the stored object differs from that of the file');
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

interface Asking extends PutDeps {
  readonly body?: { readonly file: FileHandle; readonly size: number };
}

/** Sends one signed request. It is cancelled after `stallMs` without progress. */
async function signedFetch(
  method: 'GET' | 'PUT' | 'HEAD',
  { url, region, credentials }: PutTarget,
  headers: Readonly<Record<string, string>>,
  { clock, signal, rate, stallMs, body }: Asking,
): Promise<Answer> {
  // Loaded on first use: few installations upload.
  const { AwsV4Signer } = await import('aws4fetch');
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers: { 'x-amz-content-sha256': EMPTY_SHA256, ...headers },
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
    datetime: new Date(clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
  });
  const signed = await signer.sign();
  const sent = new Headers(signed.headers);
  // With a given length the stream is sent unchunked; S3 refuses HTTP's chunked encoding.
  if (body) sent.set('content-length', String(body.size));
  const watch = new StallWatch(clock, stallMs, signal);
  try {
    const answer = await fetch(signed.url, {
      method,
      headers: sent,
      redirect: 'manual',
      signal: watch.signal,
      ...(body
        ? { body: streamOf(chunksOf(body.file, body.size, { clock, rate, signal: watch.signal }), watch) }
        : {}),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.text()).slice(0, 4_096) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw connectionError(watch.signal.aborted ? watch.signal.reason : error);
  } finally {
    watch.end();
  }
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** Cancels a request that makes no progress. */
class StallWatch {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #outer: AbortSignal;
  readonly #onOuter = () => this.#abort.abort(this.#outer.reason);
  #movedMs: number;
  #cancel: () => void = () => {};

  constructor(clock: Clock, stallMs: number, outer: AbortSignal) {
    this.#clock = clock;
    this.#stallMs = stallMs;
    this.#outer = outer;
    this.#movedMs = clock.monotonic();
    if (outer.aborted) this.#onOuter();
    outer.addEventListener('abort', this.#onOuter);
    this.#arm(stallMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  moved(): void {
    this.#movedMs = this.#clock.monotonic();
  }

  end(): void {
    this.#cancel();
    this.#outer.removeEventListener('abort', this.#onOuter);
  }

  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      const leftMs = this.#stallMs - (this.#clock.monotonic() - this.#movedMs);
      if (leftMs > 0) return this.#arm(leftMs);
      const seconds = Math.round(this.#stallMs / 1000);
      this.#abort.abort(new UploadError(`the server accepted and sent nothing for ${seconds} s`));
    });
  }
}

function streamOf(chunks: AsyncGenerator<Buffer>, watch: StallWatch): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.moved();
        const { value, done } = await chunks.next();
        watch.moved();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The first `size` bytes of a file, no faster than `rate`. @throws UploadError when the file has become shorter */
async function* chunksOf(
  file: FileHandle,
  size: number,
  { clock, signal, rate }: Pick<PutDeps, 'clock' | 'signal' | 'rate'>,
): AsyncGenerator<Buffer> {
  const abort = Abort.following(signal);
  const beganMs = clock.monotonic();
  for (let at = 0; at < size;) {
    signal.throwIfAborted();
    const wanted = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - at));
    const { bytesRead } = await file.read(wanted, 0, wanted.length, at);
    if (bytesRead === 0) throw new UploadError('the file became shorter while it was read', { ofFile: true });
    at += bytesRead;
    const aheadMs = rate === 0 ? 0 : beganMs + (at / rate) * 1000 - clock.monotonic();
    if (aheadMs > 1) await sleep(clock, aheadMs, abort);
    yield wanted.subarray(0, bytesRead);
  }
}
