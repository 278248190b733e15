/**
 * `make s3`: the compiled binary exports from a real S3 server on loopback, s3rver, and uploads to it; if Spark is
 * installed, it is tested too. Needs the registry once.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from 'bun';
import { ROOT } from './compile.ts';
import { uploadChecks } from './s3-upload.ts';
import { SPARK_PYTHON, submit } from '../test/helpers/spark.ts';
import { interopLog } from '../test/interop/log.ts';

const folder = join(ROOT, 'test/s3');
for (const command of [
  [process.execPath, 'install', '--frozen-lockfile', '--cwd', folder],
  [process.execPath, '--no-env-file', 'scripts/build.ts'],
]) {
  const done = Bun.spawnSync(command, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.exitCode !== 0) process.exit(1);
}

const work = mkdtempSync(join(tmpdir(), 'llmproxy-s3-'));
const server = Bun.spawn([process.execPath, '--no-env-file', 'server.ts', work], {
  cwd: folder,
  stdout: 'pipe',
  stderr: 'inherit',
});
try {
  const { value } = await server.stdout.getReader().read();
  const endpoint = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const client = new S3Client({ bucket: 'logs', endpoint, ...keys });
  const log = interopLog();
  const half = log.indexOf('\n', log.length / 2) + 1;
  await client.write('2026/llmproxy-2026-11-22.ndjson', log.slice(0, half));
  await client.write('2026/llmproxy-2026-11-23.ndjson.gz', Bun.gzipSync(log.slice(half)));
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
  };
  const run = (input: string, stdin: string | undefined = undefined) => {
    const child = Bun.spawnSync([join(ROOT, 'dist/llmproxy'), 'export', input, '-f', 'openai', '-v'], {
      env,
      stdin: stdin === undefined ? 'ignore' : Buffer.from(stdin),
    });
    return { code: child.exitCode, rows: child.stdout.toString(), said: child.stderr.toString() };
  };
  const expected = run('-', log).rows;
  const checks: (readonly [string, boolean])[] = [
    ['a prefix gives the rows of the log', expected.length > 0 && run('s3://logs/2026/').rows === expected],
    ['a glob does', run('s3://logs/2026/*.ndjson*').rows === expected],
    ['a missing bucket is named', run('s3://nothing/here/').said.includes('there is no such bucket')],
    ['a missing prefix is named', run('s3://logs/nothing/').code === 1],
  ];
  const sparkChecks = async (): Promise<typeof checks> => {
    const given = [
      '--binary',
      binary,
      '--',
      's3a://logs/2026/',
      '-f',
      'openai',
      '-o',
      's3a://logs/datasets/one/',
    ];
    const aws = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_ENDPOINT_URL: endpoint };
    const first = await submit(['--master', 'local[2]'], given, aws);
    const again = await submit(['--master', 'local[2]'], given, aws);
    const forced = await submit(['--master', 'local[2]'], [...given, '--force'], aws);
    const manifest = (await client.file('datasets/one/manifest.json').json()) as {
      outputs: { path: string }[];
    };
    const shards = await Promise.all(
      manifest.outputs.map(({ path }) => client.file(`datasets/one/${path}`).text()),
    );
    return [
      [
        'Spark exports from a prefix to another',
        first.status === 0 && first.said.includes('s3://logs/datasets/one'),
      ],
      [
        'it replaces nothing by itself',
        again.status === 1 && again.said.includes('give --force to replace it'),
      ],
      [
        'the shards that it wrote give the rows of the log',
        forced.status === 0 && shards.join('') === expected,
      ],
    ];
  };
  const uploads = join(work, 'uploads');
  mkdirSync(uploads);
  const binary = join(ROOT, 'dist/llmproxy');
  const rows = (input: string) => run(input).rows;
  checks.push(...(await uploadChecks({ binary, folder: uploads, env, client, log, expected, rows })));
  if (SPARK_PYTHON !== null) checks.push(...(await sparkChecks()));
  for (const [title, ok] of checks) process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} s3rver: ${title}\n`);
  if (checks.some(([, ok]) => !ok)) process.exitCode = 1;
} finally {
  server.kill();
  rmSync(work, { recursive: true, force: true });
}
