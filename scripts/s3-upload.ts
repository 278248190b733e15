/** The upload checks of `make s3`: the compiled binary uploads its log to a real S3 server, and reads it there. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from 'bun';
import { until } from '../test/helpers/until.ts';

interface Given {
  readonly binary: string;
  /** A folder that only these checks use. */
  readonly folder: string;
  readonly env: Record<string, string | undefined>;
  readonly client: S3Client;
  /** The lines of a log. */
  readonly log: string;
  /** The expected result of exporting the log. */
  readonly expected: string;
  readonly rows: (input: string) => string;
}

type Check = readonly [title: string, ok: boolean];

/** Each title says what is expected. */
export async function uploadChecks(given: Given): Promise<Check[]> {
  const { folder, client, log, expected, rows } = given;
  const half = log.indexOf('\n', log.length / 2) + 1;
  const day = new Date(Date.now() - 86_400_000);
  const name = `llmproxy-${day.toISOString().slice(0, 10)}`;
  const logs = (sub: string, files: Readonly<Record<string, string>>) => {
    const path = join(folder, sub);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(path, file), text);
      utimesSync(join(path, file), day, day);
    }
    return path;
  };
  const keys = async (prefix: string) => {
    const { contents = [] } = await client.list({ prefix });
    return contents.map(({ key }) => key);
  };
  const checks: Check[] = [];

  const two = logs('two', {
    [`${name}.w1.ndjson`]: log.slice(0, half),
    [`${name}.w2.ndjson`]: log.slice(half),
  });
  await using first = await serve(given, two, { url: 's3://logs/ours', compress: 'zstd' });
  await until('both files in S3', async () => (await keys('ours/')).length === 2);
  checks.push(['what was uploaded gives the rows of the log', rows('s3://logs/ours/') === expected]);
  const metrics = async () => (await fetch(`${first.url}/metrics`)).text();
  await until('the metric', async () => (await metrics()).includes('llmproxy_uploaded_files_total 2'));
  checks.push([
    'metrics say that nothing waits',
    (await metrics()).includes('llmproxy_upload_pending_files 0'),
  ]);
  await first[Symbol.asyncDispose]();

  // At 64 KiB per second the upload takes a while, so that the process is killed in the middle of it.
  const large = `${log}${' '.repeat(64)}\n`.repeat(Math.ceil(600_000 / log.length));
  const one = logs('one', { [`${name}.ndjson`]: large });
  await using second = await serve(given, one, { url: 's3://logs/killed', rate: 65_536 });
  await Bun.sleep(3_000);
  second.child.kill('SIGKILL');
  await second.child.exited;
  // This server shows an object while it is being written; S3 does not.
  const before = await Promise.all((await keys('killed/')).map((key) => client.file(key).text()));
  checks.push(['a process that is killed has not uploaded', !before.includes(large)]);
  await using third = await serve(given, one, { url: 's3://logs/killed' });
  const whole = async () => {
    const found = await Promise.all((await keys('killed/')).map((key) => client.file(key).text()));
    return found.length === 1 && found[0] === large;
  };
  checks.push(['the next process uploads the whole file', await until('the whole file', whole)]);
  await third[Symbol.asyncDispose]();

  await using fourth = await serve(given, one, { url: 's3://nothing/here' });
  const said = await until('the trouble in health', async () => {
    const { stdout } = Bun.spawnSync([given.binary, 'health', '--url', fourth.url], { env: given.env });
    const text = stdout.toString();
    return text.includes('upload') && text;
  });
  checks.push(['a missing bucket is told by health', said.includes('there is no such bucket')]);
  return checks;
}

/** A proxy on a free port. */
async function serve(
  { binary, folder, env }: Given,
  directory: string,
  { compress = 'none', ...upload }: { compress?: string; url: string; rate?: number },
) {
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      server: { port: 0 },
      providers: [{ name: 'local', type: 'mock' }],
      logging: { requests: { directory, compress, upload: { host: 'pod-1', ...upload } } },
    }),
  );
  const child = Bun.spawn([binary, 'serve', '--config', config], {
    env,
    cwd: folder,
    stdout: 'ignore',
    stderr: 'pipe',
  });
  let said = '';
  const reading = (async () => {
    for await (const chunk of child.stderr) said += new TextDecoder().decode(chunk);
  })();
  const url = await until('the address', () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]);
  return {
    url,
    child,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
      await reading;
    },
  };
}
