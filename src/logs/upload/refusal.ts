/** Why an upload failed, in words for the operator. */

/** A failed upload. Its message is a reason without the names of file and object, and without secrets. */
export class UploadError extends Error {
  /** Whether the cause is this file, so that other files may still succeed. */
  readonly ofFile: boolean;

  constructor(message: string, { ofFile = false, cause }: { ofFile?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'UploadError';
    this.ofFile = ofFile;
  }
}

const REGION = 'set logging.requests.upload.region';
const KNOWN: Readonly<Record<string, string>> = {
  AccessDenied: 'access is denied: the key needs s3:PutObject for this bucket and prefix',
  AllAccessDisabled: 'access to the bucket is disabled',
  InvalidAccessKeyId: 'the server does not know the access key',
  SignatureDoesNotMatch: 'the server rejects the signature: check the secret access key',
  NoSuchBucket: 'there is no such bucket',
  InvalidBucketName: 'the server does not accept this bucket name',
  ExpiredToken: 'the session token has expired: renew the credentials',
  InvalidToken: 'the session token is not valid',
  PermanentRedirect: `the bucket is in another region: ${REGION}`,
  TemporaryRedirect: `the bucket is in another region: ${REGION}`,
  AuthorizationHeaderMalformed: `the bucket is in another region: ${REGION}`,
  IllegalLocationConstraintException: `the bucket is in another region: ${REGION}`,
  EntityTooLarge: 'the file is too large: lower logging.requests.rotate_size',
  SlowDown: 'the server asks to slow down',
  ServiceUnavailable: 'the server is overloaded',
  InternalError: 'the server has an internal error',
  BadDigest: 'the data was damaged on its way',
  XAmzContentSHA256Mismatch: 'the data was damaged on its way',
  XAmzContentChecksumMismatch: 'the data was damaged on its way',
  QuotaExceeded: 'the quota of the bucket is exhausted',
  XMinioStorageFull: 'the disk of the server is full',
  InvalidObjectState: 'the object is archived and cannot be replaced',
};

/** The meaning of an error response. @param nowMs wall clock, to detect a wrong one */
export function refusalOf(status: number, body: string, nowMs: number): UploadError {
  const field = (name: string) => new RegExp(`<${name}>([^<]{1,200})</${name}>`).exec(body)?.[1];
  const code = field('Code') ?? '';
  const ofFile = code === 'EntityTooLarge' || code === 'InvalidObjectState';
  if (code === 'RequestTimeTooSkewed' || code === 'RequestExpired')
    return new UploadError(`the clock of this machine is wrong${skew(field('ServerTime'), nowMs)}`);
  const known = Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined;
  const region = known?.endsWith(REGION) ? field('Region') : undefined;
  if (known !== undefined) return new UploadError(`${known}${region ? ` to ${region}` : ''}`, { ofFile });
  if (code !== '') return new UploadError(`the server answered ${status} ${plain(code)}`);
  if (status === 301 || status === 307)
    return new UploadError(
      `the server redirects elsewhere: check the region and logging.requests.upload.endpoint`,
    );
  if (status === 401 || status === 403)
    return new UploadError(`the server answered ${status}: ${KNOWN.AccessDenied}`);
  if (status === 404)
    return new UploadError('the server answered 404: check the bucket and logging.requests.upload.endpoint');
  return new UploadError(`the server answered ${status}`);
}

/** The difference between the local clock and the server's. */
function skew(serverTime: string | undefined, nowMs: number): string {
  const serverMs = Date.parse(serverTime ?? '');
  if (Number.isNaN(serverMs)) return ': synchronize it';
  const seconds = Math.round((nowMs - serverMs) / 1000);
  return `: it is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the server's`;
}

function plain(code: string): string {
  return code.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 60);
}

const CONNECTION: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|ConnectionRefused/, 'the server refuses connections'],
  [
    /ENOTFOUND|DNS|FailedToOpenSocket|EAI_AGAIN/,
    'its host cannot be reached: check logging.requests.upload.endpoint, region and network',
  ],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|HOSTNAME/, 'its certificate is not trusted'],
  [/ECONNRESET|ConnectionClosed|EPIPE|ECONNABORTED/, 'the server closed the connection'],
];

/** The meaning of a connection error. */
export function connectionError(cause: unknown): UploadError {
  if (cause instanceof UploadError) return cause;
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string };
  const known = CONNECTION.find(([pattern]) => pattern.test(code) || pattern.test(message));
  return new UploadError(known?.[1] ?? `the connection failed (${code === '' ? message : code})`, { cause });
}
