import { createHash } from 'node:crypto';
import { expect, test } from 'bun:test';
import { appendFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { schema } from '../../src/config/schema.ts';
import { upload as uploadSchema } from '../../src/config/schema/upload.ts';
import { Retention } from '../../src/logs/retention.ts';
import { Uploader } from '../../src/logs/upload/uploader.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { uploadServer } from '../../src/logs/upload/server.ts';
import { FakeClock } from '../helpers/clock.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord, plainRedaction } from '../helpers/log-record.ts';
import { refusal, scriptedS3 } from '../helpers/s3.ts';
import { until } from '../helpers/until.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const DAY_MS = 86_400_000;
const YESTERDAY = 'llmproxy-2026-03-09.ndjson';
const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';

interface Given {
  readonly requests?: Record<string, unknown>;
  readonly upload?: Record<string, unknown>;
  readonly worker?: number;
  readonly workers?: number;
  readonly keyless?: boolean;
}

/** The uploader and the retention of a directory, set up as in the log. */
function setup(directory: string, endpoint: string, given: Given = {}) {
  const { worker = 0, workers = 0 } = given;
  const clock = new FakeClock(NOW);
  const problems: string[] = [];
  const upload = { url: 's3://bucket/team/logs', endpoint, host: 'pod-1', rate: 0, ...given.upload };
  const { logging } = schema.parse({
    providers: [{ name: 'local', type: 'mock' }],
    logging: { requests: { ...given.requests, directory, upload } },
  });
  const settings = { ...logging.requests, upload: logging.requests.upload! };
  const onProblem = (message: string) => problems.push(message);
  const credentials = { accessKeyId: 'AKID', secretAccessKey: SECRET };
  const uploader = new Uploader(settings, {
    clock,
    worker,
    workers,
    random: () => 1,
    server: uploadServer(settings.upload, {}),
    credentials: () => Promise.resolve(given.keyless ? undefined : credentials),
    sweep: () => retention.sweep(),
    closed: () => retention.closed(),
    onProblem,
  });
  const retention: Retention = new Retention(settings, { clock, worker, onProblem, uploads: uploader });
  return {
    clock,
    problems,
    uploader,
    retention,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([uploader.close(), retention.close()]);
    },
  };
}

const line = (id: string) => encodeRecord(logRecord({ id }));

/** Writes a file that was completed before noon of the tenth. */
async function place(directory: string, name: string, text: string, ageMs = DAY_MS): Promise<void> {
  await writeFile(join(directory, name), text);
  await utimes(join(directory, name), (NOW - ageMs) / 1000, (NOW - ageMs) / 1000);
}

test('a closed file becomes one object with its length and checksums, named after machine and file', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  const text = line('req-1') + line('req-2');
  await place(dir.path, YESTERDAY, text);
  await place(dir.path, 'llmproxy-2026-03-10.ndjson', line('req-3'), 0);
  await using log = setup(dir.path, s3.url);
  await log.uploader.look();
  const [put] = s3.puts();
  expect(s3.puts()).toHaveLength(1);
  expect(put!.path).toMatch(
    /^\/bucket\/team\/logs\/date=2026-03-09\/pod-1-llmproxy-2026-03-09-[0-9a-f]{12}\.ndjson$/,
  );
  expect(put!.body.toString()).toBe(text);
  const sha256 = createHash('sha256').update(text).digest();
  expect(put!.headers.get('x-amz-checksum-sha256')).toBe(sha256.toString('base64'));
  expect(put!.headers.get('x-amz-content-sha256')).toBe(sha256.toString('hex'));
  expect(put!.headers.get('content-length')).toBe(`${text.length}`);
  expect(put!.headers.get('transfer-encoding')).toBeNull();
  expect(put!.headers.get('authorization')).toStartWith(
    'AWS4-HMAC-SHA256 Credential=AKID/20260310/us-east-1/s3/',
  );
  expect(log.uploader.state).toMatchObject({ state: 'ok', files: 0, bytes: 0, uploaded: 1 });
  // Neither this process nor the next one uploads it again.
  await log.uploader.look();
  await using next = setup(dir.path, s3.url);
  await next.uploader.look();
  expect(s3.puts()).toHaveLength(1);
  expect([...log.problems, ...next.problems]).toEqual([]);
});

test('a failing upload is reported once, retried, and reported once more when it succeeds', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url);
  const denied = () => refusal(403, 'AccessDenied');
  s3.next(denied, denied);
  await log.uploader.look();
  await log.uploader.look();
  expect(log.uploader.state).toMatchObject({
    state: 'failing',
    reason: 'access is denied: the key needs s3:PutObject for this bucket and prefix',
    since: '2026-03-10T12:00:00.000Z',
    files: 1,
    failures: 2,
  });
  // The third attempt starts by itself, after two seconds.
  log.clock.advance(1_999);
  expect(s3.puts()).toHaveLength(2);
  log.clock.advance(1);
  await log.uploader.look();
  expect(s3.puts()).toHaveLength(3);
  expect(log.uploader.state).toMatchObject({ state: 'ok', since: null, reason: null, files: 0, failures: 2 });
  expect(log.problems).toEqual([
    `Cannot upload the request log ${join(dir.path, YESTERDAY)} to s3://bucket/team/logs: access is denied: the key needs s3:PutObject for this bucket and prefix; the upload is retried`,
    'Uploads of the request log to s3://bucket/team/logs work again',
  ]);
});

test.each([
  [403, 'SignatureDoesNotMatch', '', 'the server rejects the signature: check the secret access key'],
  [
    403,
    'RequestTimeTooSkewed',
    '<ServerTime>2026-03-10T11:00:00Z</ServerTime>',
    "it is 3600 s ahead of the server's",
  ],
  [404, 'NoSuchBucket', '', 'there is no such bucket'],
  [301, 'PermanentRedirect', '<Region>eu-west-1</Region>', 'set logging.requests.upload.region to eu-west-1'],
  [400, 'ExpiredToken', '', 'the session token has expired: renew the credentials'],
  [503, 'SlowDown', '', 'the server asks to slow down'],
  [418, 'Odd<b>', '', 'the server answered 418'],
])('%i %s is reported with an explanation', async (status, code, more, words) => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url);
  s3.next(() => refusal(status, code, more));
  await log.uploader.look();
  expect(log.uploader.state.reason).toContain(words);
  expect(log.problems.join()).not.toContain(SECRET);
  expect(await dir.names()).toEqual([YESTERDAY]);
});

test('a problem with the bucket is reported at the start, before any file is complete', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  s3.answers.list = () => refusal(404, 'NoSuchBucket');
  await using log = setup(dir.path, s3.url);
  log.clock.advance(1_000);
  await log.uploader.look();
  expect(log.problems).toEqual([
    `Cannot upload the request log ${dir.path} to s3://bucket/team/logs: there is no such bucket; the upload is retried`,
  ]);
  // A key that may write but not list is valid.
  s3.answers.list = () => refusal(403, 'AccessDenied');
  await log.uploader.look();
  expect(log.uploader.state.state).toBe('ok');
  // Once there are uploads, listing is not checked.
  s3.answers.list = () => refusal(404, 'NoSuchBucket');
  await place(dir.path, YESTERDAY, line('req-1'));
  await using other = setup(dir.path, s3.url);
  await other.uploader.look();
  expect(other.uploader.state).toMatchObject({ state: 'ok', uploaded: 1 });
});

test('an object that differs from what was sent does not count as uploaded', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url);
  const usual = () => undefined;
  s3.next(() => new Response(null, { headers: { etag: '"0123456789abcdef0123456789abcdef"' } }));
  await log.uploader.look();
  expect(log.uploader.state.reason).toBe('the checksum of the stored object differs from that of the file');
  s3.next(usual, () => new Response(null, { headers: { 'content-length': '3' } }));
  await log.uploader.look();
  expect(log.uploader.state.reason).toBe('the size of the stored object differs from that of the file');
  // With a key that may not read, the answer to the upload is sufficient.
  s3.next(usual, () => new Response(null, { status: 403 }));
  await log.uploader.look();
  expect(log.uploader.state).toMatchObject({ state: 'ok', uploaded: 1 });
});

test('an unreachable server and missing credentials are reported', async () => {
  await using dir = await logDirectory();
  await place(dir.path, YESTERDAY, line('req-1'));
  const gone = scriptedS3();
  await gone[Symbol.asyncDispose]();
  await using log = setup(dir.path, gone.url);
  await log.uploader.look();
  expect(log.uploader.state.reason).toBe('the server refuses connections');
  await using other = setup(dir.path, gone.url, { keyless: true });
  await other.uploader.look();
  expect(other.uploader.state.reason).toContain('there are no AWS credentials: set AWS_ACCESS_KEY_ID');
});

test('close() does not wait for a server that does not answer, and the next process uploads again', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  const log = setup(dir.path, s3.url);
  const asked = Promise.withResolvers<void>();
  s3.next(() => {
    asked.resolve();
    return new Promise<Response>(() => {});
  });
  const looked = log.uploader.look();
  await asked.promise;
  await log[Symbol.asyncDispose]();
  await looked;
  expect(log.problems).toEqual([]);
  await using next = setup(dir.path, s3.url);
  await next.uploader.look();
  expect(next.uploader.state.uploaded).toBe(1);
  expect(new Set(s3.puts().map(({ path }) => path)).size).toBe(1);
});

test('an upload to a server that does not answer times out', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url);
  const asked = Promise.withResolvers<void>();
  s3.next(() => {
    asked.resolve();
    return new Promise<Response>(() => {});
  });
  const looked = log.uploader.look();
  await asked.promise;
  log.clock.advance(120_000);
  await looked;
  expect(log.uploader.state.reason).toBe('the server accepted and sent nothing for 60 s');
});

test('a file that is not uploaded yet is kept beyond its age, but not beyond the disk limit', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  for (const day of ['2026-03-01', '2026-03-02', '2026-03-03'])
    await place(dir.path, `llmproxy-${day}.ndjson`, line(day), 8 * DAY_MS);
  const { length } = line('2026-03-01');
  const usual = () => undefined;
  // The first upload succeeds, the second fails.
  s3.next(usual, usual, () => refusal(500, 'InternalError'));
  await using log = setup(dir.path, s3.url, { requests: { retention: '3d' } });
  await log.uploader.look();
  await log.retention.sweep();
  expect(await dir.names()).toEqual(['llmproxy-2026-03-02.ndjson', 'llmproxy-2026-03-03.ndjson']);
  s3.next(() => refusal(500, 'InternalError'));
  await using tight = setup(dir.path, s3.url, { requests: { max_total: length } });
  await tight.uploader.look();
  expect(await dir.names()).toEqual(['llmproxy-2026-03-03.ndjson']);
  expect(tight.problems[0]).toBe(
    `Deleted the request log ${join(dir.path, 'llmproxy-2026-03-02.ndjson')} before it was uploaded: the log exceeds logging.requests.max_total`,
  );
  expect(tight.uploader.state.lost).toBe(1);
});

test('max_total deletes uploaded files before others', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, 'llmproxy-2026-03-01.ndjson', 'x'.repeat(100), 8 * DAY_MS);
  await place(dir.path, 'llmproxy-2026-03-02.ndjson', 'y'.repeat(100), 8 * DAY_MS);
  await using first = setup(dir.path, s3.url);
  await first.uploader.look();
  await place(dir.path, 'llmproxy-2026-02-01.ndjson', 'z'.repeat(100), 40 * DAY_MS);
  await using log = setup(dir.path, s3.url, { requests: { max_total: 250 } });
  await log.retention.sweep();
  expect((await dir.names()).filter((name) => name.endsWith('.ndjson'))).toEqual([
    'llmproxy-2026-02-01.ndjson',
    'llmproxy-2026-03-02.ndjson',
  ]);
  expect(log.problems).toEqual([]);
});

test('keep_local sets how long a file is kept after its upload', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url, { upload: { keep_local: '1h' } });
  await log.uploader.look();
  await log.retention.sweep();
  expect(await dir.names()).toEqual([YESTERDAY, `${YESTERDAY}.uploaded`]);
  log.clock.advance(3_600_000);
  await log.uploader.look();
  expect(await dir.names()).toEqual([]);
  await place(dir.path, YESTERDAY, line('req-2'));
  await using none = setup(dir.path, s3.url, { upload: { keep_local: false } });
  await none.uploader.look();
  await none.retention.sweep();
  expect(await dir.names()).toEqual([]);
  // Another file of the same name has not replaced the first one's object.
  expect(s3.objects.size).toBe(2);
});

test('a file is uploaded in compressed form, and not again when it is compressed later', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url, { requests: { compress: 'zstd' } });
  await log.uploader.look();
  expect(s3.puts().map(({ path }) => path.slice(-11))).toEqual(['.ndjson.zst']);
  expect(zstdDecompressSync(s3.puts()[0]!.body).toString()).toBe(line('req-1'));
  await place(dir.path, 'llmproxy-2026-03-08.ndjson', line('req-2'), 2 * DAY_MS);
  await using plain = setup(dir.path, s3.url);
  await plain.uploader.look();
  expect(s3.puts()).toHaveLength(2);
  await using again = setup(dir.path, s3.url, { requests: { compress: 'zstd' } });
  await again.uploader.look();
  await again.uploader.look();
  expect(await dir.names()).toContain('llmproxy-2026-03-08.ndjson.zst');
  expect(s3.puts()).toHaveLength(2);
});

test('content that expires locally is removed from the object too', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url, { requests: { retention: { content: '2d', head: 0 } } });
  await log.uploader.look();
  const [path = ''] = s3.objects.keys();
  expect(s3.objects.get(path)!.body.toString()).toContain('Hello');
  log.clock.advance(2 * DAY_MS);
  await log.uploader.look();
  await log.uploader.look();
  expect(s3.puts()).toHaveLength(2);
  expect([...s3.objects.keys()]).toEqual([path]);
  const heads = s3.objects.get(path)!.body.toString();
  expect(heads).not.toContain('Hello');
  expect(JSON.parse(heads)).toMatchObject({ id: 'req-1', content: 'expired' });
});

test('a file that was continued after its upload is uploaded again, to the same object', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await using log = setup(dir.path, s3.url);
  await log.uploader.look();
  await appendFile(join(dir.path, YESTERDAY), line('req-2'));
  await utimes(join(dir.path, YESTERDAY), NOW / 1000 - 600, NOW / 1000 - 600);
  await log.uploader.look();
  expect([...s3.objects.values()].map(({ body }) => body.toString())).toEqual([
    line('req-1') + line('req-2'),
  ]);
});

test('workers upload their own files, and the first one also those of workers that no longer exist', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  for (const worker of ['', '.w1', '.w2', '.w7'])
    await place(dir.path, `llmproxy-2026-03-09${worker}.ndjson`, line(`of${worker}`));
  await using second = setup(dir.path, s3.url, { worker: 2, workers: 2 });
  await second.uploader.look();
  expect([...s3.objects.keys()].map((key) => /-09(\.w\d)?-/.exec(key)?.[1])).toEqual(['.w2']);
  await using first = setup(dir.path, s3.url, { worker: 1, workers: 2 });
  await first.uploader.look();
  expect([...s3.objects.keys()].map((key) => /-09(\.w\d)?-/.exec(key)?.[1])).toEqual([
    '.w2',
    undefined,
    '.w1',
    '.w7',
  ]);
  expect(s3.puts()).toHaveLength(4);
});

test('a file is uploaded even if its marker cannot be written', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  await mkdir(join(dir.path, `${YESTERDAY}.uploaded.tmp`));
  await using log = setup(dir.path, s3.url);
  await log.uploader.look();
  await log.uploader.look();
  expect(log.uploader.state).toMatchObject({ state: 'ok', uploaded: 1 });
  expect(log.problems).toHaveLength(1);
  expect(log.problems[0]).toContain(
    'which files were uploaded: it is a directory; after a restart, they are uploaded again',
  );
  await rm(join(dir.path, `${YESTERDAY}.uploaded.tmp`), { recursive: true });
  await log.uploader.look();
  expect(await dir.names()).toEqual([YESTERDAY, `${YESTERDAY}.uploaded`]);
  // The marker is removed with its file, whoever deletes that.
  await rm(join(dir.path, YESTERDAY));
  await log.uploader.look();
  expect(await dir.names()).toEqual([]);
});

test.each([
  [{ url: 'https://bucket' }, {}, 'expected s3://BUCKET'],
  [{}, { rotate_size: 0 }, 'S3 accepts at most 5 GiB in one request'],
  [{ keep_local: '1d' }, { retention: { content: '2d' } }, 'expected true, or at least `retention.content`'],
  [{ rate: 5 }, {}, 'at least 64KiB'],
  [{ endpoint: 'https://me:secret@s3.example' }, {}, 'without credentials'],
])('the configuration rejects %p', (upload, requests, words) => {
  const parsed = schema.safeParse({
    providers: [{ name: 'local', type: 'mock' }],
    logging: { requests: { ...requests, upload: { url: 's3://bucket', ...upload } } },
  });
  expect(JSON.stringify(parsed.error?.issues)).toContain(words);
});

/** A log as in the proxy, which uploads when it is closed. */
function closingLog(directory: string, endpoint: string, clock: Clock) {
  const upload = { url: 's3://bucket', endpoint, host: 'pod-1', stop_timeout: '15s' };
  const { requests } = schema.parse({
    providers: [{ name: 'local', type: 'mock' }],
    logging: { requests: { directory, upload } },
  }).logging;
  const problems: string[] = [];
  const log = new LogWriter(requests, {
    clock,
    redaction: () => plainRedaction,
    makeLine: () => Promise.reject(new Error('no record is that large')),
    onProblem: (message) => problems.push(message),
    upload: {
      server: uploadServer(requests.upload!, {}),
      workers: 0,
      random: Math.random,
      credentials: () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: SECRET }),
    },
  });
  return { log, problems };
}

test('closing a log uploads its last file within stop_timeout, with retries', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  const { log, problems } = closingLog(dir.path, s3.url, systemClock);
  log.write(logRecord({ id: 'req-1' }));
  s3.next(() => refusal(503, 'SlowDown'));
  await log.close();
  expect([...s3.objects.values()].map(({ body }) => body.toString())).toEqual([line('req-1')]);
  expect(log.state.upload).toMatchObject({ state: 'ok', uploaded: 1, failures: 1 });
  expect(problems).toHaveLength(2);
});

test('closing a log during an upload completes that, and uploads its last file too', async () => {
  await using dir = await logDirectory();
  await using s3 = scriptedS3();
  await place(dir.path, YESTERDAY, line('req-1'));
  const clock = new FakeClock(NOW);
  const { log } = closingLog(dir.path, s3.url, clock);
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<undefined>();
  s3.next(() => {
    asked.resolve();
    return goOn.promise;
  });
  clock.advance(1_000);
  await asked.promise;
  log.write(logRecord({ id: 'req-2' }));
  const closed = log.close();
  await until('the last file', async () => (await dir.names()).includes('llmproxy-2026-03-10.ndjson'));
  goOn.resolve(undefined);
  await closed;
  expect([...s3.objects.values()].map(({ body }) => body.toString())).toEqual([line('req-1'), line('req-2')]);
});

test.each([
  [{}, {}, 'us-east-1', 'https://s3.us-east-1.amazonaws.com/bucket'],
  [{}, { AWS_DEFAULT_REGION: 'eu-west-1' }, 'eu-west-1', 'https://s3.eu-west-1.amazonaws.com/bucket'],
  [
    { region: 'cn-north-1' },
    { AWS_REGION: 'x' },
    'cn-north-1',
    'https://s3.cn-north-1.amazonaws.com.cn/bucket',
  ],
  [
    {},
    { AWS_ENDPOINT_URL: 'http://a:1', AWS_ENDPOINT_URL_S3: 'http://b:2/' },
    'us-east-1',
    'http://b:2/bucket',
  ],
  [{ endpoint: 'http://c:3/s3/' }, { AWS_ENDPOINT_URL: 'http://a:1' }, 'us-east-1', 'http://c:3/s3/bucket'],
])(
  'uploadServer() returns region and URL for %p with the environment %p',
  (given, env, region, bucketUrl) => {
    const upload = uploadSchema.parse({ url: 's3://bucket/a/prefix', ...given });
    expect(uploadServer(upload, env)).toEqual({ region, bucketUrl });
  },
);
