import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { checkClock } from '../../src/cli/doctor/clock-check.ts';
import { BINARY, built, cleared, folder, serveConfig } from '../helpers/binary.ts';
import { Authority, canMake, SERVER_NAMES } from '../helpers/certificates.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const KEY = 'sk-a-very-secret-key-0123456789';
const servers: Bun.Server<undefined>[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

/** A provider that answers with the status in its path, such as "/401/v1". */
function upstream(options: Partial<Bun.Serve.Options<undefined>> = {}): Bun.Server<undefined> {
  const server = Bun.serve({
    ...options,
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const [, first = ''] = new URL(request.url).pathname.split('/');
      if (first === 'silent') await new Promise(() => undefined);
      const ahead = Number(/^ahead(\d+)$/.exec(first)?.[1] ?? 0);
      const date = new Date(Date.now() + ahead * 1_000).toUTCString();
      const headers = { date, ...(first === '302' ? { location: '/' } : {}) };
      return Response.json(
        { seen: request.headers.get('authorization') },
        { status: Number(first) || 200, headers },
      );
    },
  } as Bun.Serve.Options<undefined>);
  servers.push(server);
  return server;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the binary while this process can still answer requests. */
async function doctor(
  config: ConfigInput | string,
  { args = [] as string[], env = {} as Record<string, string>, cwd = folder() } = {},
): Promise<Ran> {
  writeFileSync(join(cwd, 'config.yaml'), typeof config === 'string' ? config : JSON.stringify(config));
  const child = Bun.spawn([BINARY, 'doctor', ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

async function findings(
  ...given: Parameters<typeof doctor>
): Promise<{ code: number; by: (name: string) => Finding }> {
  const [config, options = {}] = given;
  const { out, code } = await doctor(config, { ...options, args: [...(options.args ?? []), '--json'] });
  const { checks } = JSON.parse(out) as { checks: Finding[] };
  return {
    code,
    by: (name) => checks.find((each) => each.name === name) ?? { name, state: 'skipped', message: 'none' },
  };
}

const compatible = (name: string, base_url: string, more: object = {}) => ({
  name,
  type: 'openai-compatible',
  base_url,
  models: ['m'],
  api_key: KEY,
  ...more,
});
const server = { port: 0 };

test.concurrent(
  'every provider is reported with the answer of its free endpoint, and no key is shown',
  async () => {
    const { url } = upstream();
    const at = (first: string) => `${url.origin}/${first}/v1`;
    const statuses = ['200', '401', '403', '404', '429', '302', '503'];
    const config = {
      server,
      providers: [
        ...statuses.map((status) => compatible(`s${status}`, at(status))),
        compatible('bare', `${url.origin}/404`),
        compatible('keyless', at('401'), { api_key: undefined }),
        compatible('closed', 'http://127.0.0.1:1/v1'),
        compatible('nowhere', 'http://no-such-host.invalid/v1'),
        compatible('off', at('200'), { enabled: false }),
        { name: 'unset', type: 'openai', api_key_env: 'NOT_SET' },
        { name: 'mock', type: 'mock' },
      ],
    } as ConfigInput;
    const { code, by } = await findings(config);
    expect(code).toBe(1);
    expect(by('s200')).toMatchObject({
      state: 'ok',
      message: expect.stringMatching(/^answers in \d+ ms, its key is valid$/) as string,
    });
    expect(by('s401')).toMatchObject({ state: 'failed', fix: 'Set another key: api_key.' });
    expect(by('s403').state).toBe('warning');
    expect(by('s404')).toMatchObject({
      state: 'warning',
      fix: expect.stringContaining('is its path correct?') as string,
    });
    expect(by('bare').fix).toContain('need /v1 at the end');
    expect(by('s429').state).toBe('warning');
    expect(by('s302')).toMatchObject({ state: 'failed', fix: expect.stringContaining('base_url') as string });
    expect(by('s503').state).toBe('warning');
    expect(by('keyless')).toMatchObject({ state: 'failed', fix: 'Set api_key_env.' });
    expect(by('closed').message).toBe('127.0.0.1: connection refused');
    expect(by('nowhere').message).toBe('no-such-host.invalid: host name not found (DNS)');
    expect(by('off')).toMatchObject({ state: 'skipped', message: 'not enabled' });
    expect(by('unset')).toMatchObject({ state: 'warning', fix: 'Set NOT_SET.' });
    expect(by('mock').state).toBe('ok');
    const { out, err } = await doctor(config);
    expect(out + err).not.toContain(KEY);
    expect(out.split('\n').filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([]);
  },
);

test.concurrent(
  'the exit status is 0 if all is well, and a machine without network is reported once',
  async () => {
    const { url } = upstream();
    const well = await findings({
      server,
      providers: [compatible('one', `${url.origin}/v1`)],
    } as ConfigInput);
    expect([well.code, well.by('network').message, well.by('clock').state]).toEqual([0, 'none', 'ok']);
    const offline = await findings({
      server,
      providers: [compatible('one', 'http://no-such-host.invalid/v1')],
    } as ConfigInput);
    expect(offline.code).toBe(1);
    expect(offline.by('network').message).toContain('it seems to be offline');
    expect(offline.by('clock').state).toBe('skipped');
  },
);

test.concurrent(
  'a provider without a free endpoint is only tested for reachability, and not behind a proxy',
  async () => {
    const { url } = upstream();
    const at = (name: string, base_url: string) => ({
      name,
      type: 'zai',
      models: ['m'],
      api_key: KEY,
      base_url,
    });
    const providers = [at('there', `${url.origin}/v1`), at('closed', 'http://127.0.0.1:1/v1')];
    const direct = await findings({ server, providers } as ConfigInput);
    expect(direct.by('there')).toMatchObject({
      state: 'ok',
      message: expect.stringContaining('can be reached') as string,
    });
    expect(direct.by('closed')).toMatchObject({ state: 'failed', message: '127.0.0.1: connection refused' });
    const proxied = await findings({ server, providers } as ConfigInput, {
      env: { HTTPS_PROXY: 'http://127.0.0.1:9' },
    });
    expect(proxied.by('there')).toMatchObject({
      state: 'skipped',
      message: expect.stringContaining('HTTP proxy') as string,
    });
  },
);

test('a provider that does not answer does not delay the others', async () => {
  const { url } = upstream();
  const providers = [compatible('silent', `${url.origin}/silent/v1`), compatible('well', `${url.origin}/v1`)];
  const { by } = await findings({ server, providers } as ConfigInput, { args: ['--timeout', '1'] });
  expect(by('silent')).toMatchObject({ state: 'failed', message: '127.0.0.1: no answer within 1 s' });
  expect(by('well').state).toBe('ok');
});

test.concurrent('the clock is compared with that of providers', async () => {
  const { url } = upstream();
  const providers = [compatible('one', `${url.origin}/ahead120/v1`)];
  const { by } = await findings({ server, providers } as ConfigInput);
  expect(by('clock')).toMatchObject({
    state: 'warning',
    message: expect.stringMatching(/^this machine's clock is 1[12]\d s behind$/) as string,
  });
  expect(checkClock([-400_000, -401_000, 0])).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('400 s ahead') as string,
  });
  expect(checkClock([900, -900_000, 100]).state).toBe('ok');
});

test.skipIf(!canMake)('certificate problems are reported with what to do', async () => {
  const authority = new Authority();
  const unknown = upstream({ tls: authority.issue('/CN=localhost', SERVER_NAMES) });
  const expired = upstream({ tls: authority.issue('/CN=localhost', SERVER_NAMES, -1) });
  const cwd = folder();
  writeFileSync(join(cwd, 'ca.pem'), authority.cert);
  const config = {
    server,
    providers: [
      compatible('unknown', `${unknown.url.origin}/v1`),
      compatible('expired', `${expired.url.origin}/v1`),
    ],
  } as ConfigInput;
  const { by } = await findings(config);
  expect(by('unknown')).toMatchObject({
    state: 'failed',
    fix: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
  });
  const believed = await findings(config, { cwd, env: { NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem') } });
  expect(believed.by('unknown').state).toBe('ok');
  expect(believed.by('expired').message).toContain('expired');
  const missing = await findings(config, { env: { NODE_EXTRA_CA_CERTS: join(cwd, 'gone.pem') } });
  expect(missing.by('certificates').state).toBe('failed');
  authority.remove();
});

test.concurrent(
  'warns of a key in the environment that the configuration does not use, and of one with another spelling',
  async () => {
    const config = {
      providers: [
        { name: 'mock', type: 'mock' },
        { name: 'x', type: 'openai', api_key: 'os.environ/X', enabled: false },
      ],
    };
    const env = { GROQ_API_KEY: 'gsk_0123456789' };
    const { out } = await doctor({ ...config, server: { port: 1 } }, { env });
    const told = out.replaceAll(/\s+/g, ' ');
    expect(told).toContain('GROQ_API_KEY is set, but no provider uses it');
    expect(told).toContain('`- { name: groq, type: groq, api_key_env: GROQ_API_KEY }`');
    expect(told).toContain("this is another program's notation for a variable");
    expect(out).not.toContain('0123456789');
  },
  60_000,
);

describe('the machine', () => {
  const MOCK = [{ name: 'mock', type: 'mock' }];

  test.concurrent('reports a port used by another program, and one where llmproxy answers', async () => {
    const other = upstream();
    const taken = await findings({ server: { port: other.port! }, providers: MOCK } as ConfigInput);
    expect([taken.code, taken.by('port').message]).toEqual([
      1,
      `127.0.0.1:${other.port} is in use by another program`,
    ]);
    const own = await serveConfig({ providers: MOCK } as ConfigInput);
    const port = Number(new URL(own.url).port);
    const running = await findings({ server: { port }, providers: MOCK } as ConfigInput);
    expect([running.code, running.by('port').message]).toEqual([
      0,
      `127.0.0.1:${port}: llmproxy answers there`,
    ]);
    const absent = await findings({
      server: { host: '192.0.2.1', port: 8123 },
      auth: 'none',
      providers: MOCK,
    } as ConfigInput);
    expect(absent.by('port').message).toContain('this machine has no such address');
  });

  test.concurrent('reports directories that cannot be created, and those that will be', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'file'), '');
    mkdirSync(join(cwd, 'there'));
    const at = (directory: string) =>
      findings(
        {
          server,
          providers: MOCK,
          rate_limits: [{ requests: 1, per: 'day' }],
          logging: { requests: { directory } },
        } as ConfigInput,
        { cwd },
      );
    const wrong = await at('file/logs');
    expect(wrong.by('request log')).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('logging.requests.directory') as string,
    });
    const made = await at('new/logs');
    expect(made.by('request log').message).toStartWith('new/logs (to be created): writable, ');
    expect(made.by('state').message).toStartWith('state (to be created): writable, ');
    expect((await at('there')).by('request log').message).toStartWith('there: writable, ');
  });

  test('reports how many requests a low limit on open files allows', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ server, providers: MOCK }));
    const { stdout } = Bun.spawnSync(['/bin/sh', '-c', `ulimit -n 1024; '${BINARY}' doctor --json`], {
      cwd,
      env: { PATH: process.env.PATH },
    });
    const { checks } = JSON.parse(stdout.toString()) as { checks: Finding[] };
    const found = checks.find(({ name }) => name === 'open files');
    expect(found).toMatchObject({
      state: 'warning',
      message: '1,024 at once are enough for 384 requests; limits.max_concurrent is 4,096',
    });
    expect(found!.fix).toContain('ulimit -n 16384');
  });

  test.concurrent('reports proxies in the environment, without their passwords', async () => {
    const providers = [compatible('local', 'http://127.0.0.1:1/v1'), { name: 'mock', type: 'mock' }];
    const by = async (env: Record<string, string>) =>
      (await findings({ server, providers } as ConfigInput, { env })).by('http proxy');
    expect(await by({})).toMatchObject({ state: 'ok' });
    const set = await by({ HTTP_PROXY: 'http://user:hidden-word@127.0.0.1:9' });
    expect(set).toMatchObject({ state: 'warning', fix: expect.stringContaining('NO_PROXY') as string });
    expect(set.message).toContain('through 127.0.0.1:9, local on this machine too');
    expect(await by({ HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' })).toMatchObject({
      state: 'ok',
    });
    expect(await by({ HTTPS_PROXY: 'proxy:8080' })).toMatchObject({ state: 'failed' });
  });
});

test.concurrent('an invalid, missing or open configuration is reported', async () => {
  const broken = await findings('providers: [{ name: a, type: mock }]\nprot: 1\nserver: { prot: 2 }\n');
  expect([broken.code, broken.by('config').message]).toEqual([
    1,
    'config.yaml is not valid: 2 errors, line 2, line 3',
  ]);
  const missing = await findings(server as never, { args: ['--config', 'gone.yaml'] });
  expect(missing.by('config').message).toContain('gone.yaml cannot be read');
  const open = await doctor({
    server: { host: '0.0.0.0', port: 0 },
    providers: [{ name: 'm', type: 'mock' }],
  } as ConfigInput);
  expect([open.code, open.out.includes('others could use your keys')]).toEqual([1, true]);
  const unfit = await doctor(server as never, { args: ['--timeout', '0'] });
  expect([unfit.code, unfit.err]).toEqual([
    2,
    'Cannot use --timeout 0: expected a whole number from 1 to 300\n',
  ]);
});
