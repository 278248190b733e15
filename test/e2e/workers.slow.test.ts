/** Several processes on one port: how they count, limit, reload, log and fail together. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, run, serveAsWritten, serveConfig } from '../helpers/binary.ts';
import { childrenOf } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const WORKERS = 3;
const CHAT = { model: 'mock', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] };
const MOCK: ConfigInput = { providers: [{ name: 'mock', type: 'mock' }] };
const SLOW: ConfigInput = { providers: [{ name: 'mock', type: 'mock', mock: { tokens_per_second: 20 } }] };

const serving = (config: ConfigInput, workers: number | 'auto' = WORKERS) =>
  serveConfig({ ...config, server: { ...config.server, workers } });

/** Uses a new connection, which may reach any of the workers. */
const post = (url: string, body: object, init: RequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    keepalive: false,
    ...init,
  });

const get = async (url: string, path: string) => await fetch(url + path, { keepalive: false });

interface Health {
  status: string;
  in_flight: number;
  workers: { total: number; missing: number[] };
}

const healthOf = async (url: string) => (await (await get(url, '/health')).json()) as Health;

/** The sum of all values of a metric. */
async function metric(url: string, name: string): Promise<number> {
  const page = await (await get(url, '/metrics')).text();
  const values = [...page.matchAll(new RegExp(`^llmproxy_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((total, [, value]) => total + Number(value), 0);
}

/**
 * Waits until this many workers were restarted and all are running. A dying worker may drop the connection.
 */
async function renewed(url: string, count: number): Promise<void> {
  await until('a new worker', async () => {
    const restarts = await metric(url, 'worker_restarts_total').catch(() => 0);
    const up = await metric(url, 'worker_up').catch(() => 0);
    return restarts === count && up === WORKERS;
  });
}

/** All lines of the log, in the order of the files. */
function lines(cwd: string): { id: string; outcome: string }[] {
  const directory = join(cwd, 'logs');
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as { id: string; outcome: string });
}

/** The log files that contain a line of invalid JSON. */
function damagedFiles(cwd: string): string[] {
  const directory = join(cwd, 'logs');
  return readdirSync(directory).filter((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .some((line) => line !== '' && !isJson(line)),
  );
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** What a program writes to stderr, as it arrives. */
function said({ process }: Serving): () => string {
  let text = '';
  void (async () => {
    for await (const chunk of process.stderr) text += new TextDecoder().decode(chunk);
  })();
  return () => text;
}

/** Starts this many streams at once. @returns those that started, and how many were refused */
async function streams(url: string, count: number) {
  const answers = await Promise.all(
    Array.from({ length: count }, () => post(url, { ...CHAT, max_tokens: 60, stream: true })),
  );
  const open = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  await Promise.all(refused.map((answer) => answer.text()));
  return { open, refused: refused.length };
}

// reusePort shares a port only on Linux, and the shared memory is mapped through /proc.
describe.skipIf(process.platform !== 'linux')('workers (Linux only: reusePort)', () => {
  test('report for all of them, whichever worker is asked', async () => {
    const { url } = await serving(SLOW);
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(url, CHAT)));
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    for (let asked = 0; asked < 8; asked += 1) {
      expect(await metric(url, 'requests_total')).toBe(30);
      expect(await metric(url, 'request_duration_seconds_count')).toBe(30);
      expect(await metric(url, 'worker_up')).toBe(WORKERS);
      expect(await metric(url, 'provider_state')).toBe(2);
      const page = (await (await get(url, '/providers')).json()) as {
        workers: object;
        providers: { name: string; calls: number }[];
      };
      expect(page).toMatchObject({ status: 'healthy', providers: [{ name: 'mock', calls: 30 }] });
      expect(page.workers).toEqual({ total: WORKERS, missing: [] });
    }
    const { open } = await streams(url, 6);
    expect(open).toHaveLength(6);
    expect((await healthOf(url)).in_flight).toBe(open.length);
    await Promise.all(open.map((answer) => answer.text()));
  });

  test('share a rate limit', async () => {
    const { url } = await serving({
      routing: { wait_budget: 0 },
      providers: [{ name: 'mock', type: 'mock', rate_limit: 5 }],
    });
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(url, CHAT)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });

  test('share max_connections', async () => {
    let [running, most] = [0, 0];
    await using provided = upstream(async () => {
      most = Math.max(most, (running += 1));
      await Bun.sleep(20);
      running -= 1;
      return completion('hi');
    });
    const { url } = await serving({
      providers: [
        {
          name: 'a',
          type: 'openai-compatible',
          base_url: `${provided.url}/v1`,
          models: ['*'],
          max_connections: 2,
        },
      ],
    });
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(url, CHAT)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect([most, provided.asked.length]).toEqual([2, 40]);
  });

  test('share limits.max_concurrent, and release the requests of killed workers', async () => {
    const { url, process } = await serving({ ...SLOW, limits: { max_concurrent: 4 } });
    const first = await streams(url, 16);
    expect([first.open.length, first.refused]).toEqual([4, 12]);
    const before = childrenOf(process.pid);
    for (const pid of before) globalThis.process.kill(pid, 'SIGKILL');
    await Promise.all(first.open.map((answer) => answer.text().catch(() => 'cut')));
    await renewed(url, WORKERS);
    expect(childrenOf(process.pid).some((pid) => before.includes(pid))).toBe(false);
    const second = await streams(url, 16);
    expect([second.open.length, second.refused]).toEqual([4, 12]);
    await Promise.all(second.open.map((answer) => answer.text()));
  });

  test('apply a configuration together, and no invalid one', async () => {
    const served = await serving(MOCK);
    const { url, cwd, process } = served;
    const told = said(served);
    const path = join(cwd, 'config.yaml');
    const names = async () => {
      const pages = await Promise.all(Array.from({ length: 12 }, () => get(url, '/v1/models')));
      const lists = await Promise.all(
        pages.map((page) => page.json() as Promise<{ data: { id: string }[] }>),
      );
      return new Set(lists.map(({ data }) => data.map(({ id }) => id).join()));
    };
    writeFileSync(path, JSON.stringify({ providers: [{ name: 'mock', type: 'mock', models: ['new'] }] }));
    process.kill('SIGHUP');
    await until('the new model of each worker', async () => {
      const seen = await names();
      return seen.size === 1 && [...seen][0]!.includes('new');
    });
    const valid = await names();
    globalThis.process.kill(childrenOf(process.pid)[0]!, 'SIGKILL');
    await renewed(url, 1);
    expect(await names()).toEqual(valid);
    writeFileSync(path, 'providers: []\nnonsense: 1\n');
    process.kill('SIGHUP');
    await until('the message about the file', () => told().includes('is not valid'));
    expect(await names()).toEqual(valid);
    expect(told().match(/Reloaded /g)).toHaveLength(1);
    expect(told().match(/is not valid/g)).toHaveLength(1);
  });

  test('lose only the requests of a killed worker, and continue the counters', async () => {
    const served = await serving(MOCK);
    const { url, process } = served;
    const told = said(served);
    let [answered, failed] = [0, 0];
    const stop = new AbortController();
    const clients = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) {
        const answer = await post(url, CHAT).catch(() => undefined);
        if (answer?.status === 200) answered += 1;
        else failed += 1;
        await answer?.text().catch(() => undefined);
      }
    });
    await until('traffic', () => answered, { atLeast: 100 });
    const counted = await metric(url, 'requests_total');
    const [victim] = childrenOf(process.pid);
    globalThis.process.kill(victim!, 'SIGKILL');
    await renewed(url, 1);
    const before = answered;
    await until('traffic', () => answered > before + 50);
    stop.abort();
    await Promise.all(clients);
    // The requests it was serving, and those that reached it while it ended: a client that retries at once
    // may fail twice.
    expect(failed).toBeLessThanOrEqual(16);
    expect(await metric(url, 'requests_total')).toBeGreaterThan(counted);
    expect(told()).toMatch(/worker \d ended \(SIGKILL\): it is restarted in 0\.2 s$/m);
    // At most, the line it was writing when it was killed is incomplete, in its own file.
    process.kill('SIGTERM');
    await process.exited;
    expect(damagedFiles(served.cwd).length).toBeLessThanOrEqual(1);
  });

  test('log every request, each to files of its own in one directory, which the export reads', async () => {
    const { url, cwd, process } = await serving({
      ...MOCK,
      logging: { requests: { rotate_size: '20KiB', flush_interval: '5ms', max_total: '1GiB' } },
    });
    const ids = Array.from({ length: 120 }, (_, number) => `request-${number}`);
    await Promise.all(
      ids.map(async (id) => (await post(url, CHAT, { headers: { 'x-request-id': id } })).text()),
    );
    process.kill('SIGTERM');
    expect(await process.exited).toBe(0);
    expect(
      lines(cwd)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    const names = readdirSync(join(cwd, 'logs'));
    const worker = (name: string) => /^llmproxy-\d{4}-\d\d-\d\d\.w(\d)(\.\d+)?\.ndjson$/.exec(name)?.[1];
    expect(new Set(names.map(worker))).toEqual(new Set(['1', '2', '3']));
    expect(names.length).toBeGreaterThan(3);
    const { code } = run(
      cwd,
      'export',
      'logs',
      '--dedup',
      'none',
      '--conversations',
      'turns',
      '-o',
      'out.jsonl',
    );
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(120);
  });

  test('end on a second signal that arrives while idle workers are ending', async () => {
    const providers = [{ name: 'mock', type: 'mock', mock: { tokens_per_second: 1 } }];
    for (let round = 0; round < 8; round += 1) {
      const each = await serving({ server: { drain_timeout: '5m' }, providers });
      const heard = said(each);
      const open = await post(each.url, { ...CHAT, max_tokens: 60, stream: true });
      each.process.kill('SIGINT');
      await until('it waits', () => heard().includes('waiting for 1 request'));
      // The parent learns of the ends of its workers and of the signal at the same time.
      each.process.kill('SIGSTOP');
      await Bun.sleep(100);
      each.process.kill('SIGINT');
      each.process.kill('SIGCONT');
      expect(await open.text()).toContain('"shutting_down"');
      expect(await each.process.exited).toBe(0);
      expect(heard()).not.toContain('error:');
    }
  }, 60_000);

  test('stop together: streams finish, or end on a second signal', async () => {
    const calm = await serving(SLOW);
    const { open } = await streams(calm.url, 12);
    calm.process.kill('SIGTERM');
    const texts = await Promise.all(open.map((answer) => answer.text()));
    expect(texts.every((text) => text.endsWith('data: [DONE]\n\n'))).toBe(true);
    expect(await calm.process.exited).toBe(0);
    expect(lines(calm.cwd).map(({ outcome }) => outcome)).toEqual(Array(12).fill('success'));

    const hasty = await serving({
      server: { drain_timeout: '5m' },
      providers: [{ name: 'mock', type: 'mock', mock: { tokens_per_second: 1 } }],
    });
    const cut = await Promise.all(
      Array.from({ length: 6 }, () => post(hasty.url, { ...CHAT, max_tokens: 60, stream: true })),
    );
    hasty.process.kill('SIGINT');
    await until('the end of listening', () =>
      get(hasty.url, '/health/live').then(
        () => false,
        () => true,
      ),
    );
    hasty.process.kill('SIGINT');
    for (const answer of cut) expect(await answer.text()).toContain('"shutting_down"');
    expect(await hasty.process.exited).toBe(0);
  }, 60_000);

  test('end when the parent is killed, and release the port', async () => {
    const { url, process } = await serving(MOCK);
    const children = childrenOf(process.pid);
    expect(children).toHaveLength(WORKERS);
    process.kill('SIGKILL');
    await until('the end of the workers', () => children.every((pid) => !existsSync(`/proc/${pid}`)));
    const next = await serveAsWritten(folder(), '--port', new URL(url).port, '--workers', '2');
    expect(next.url).toBe(url);
  });

  test.each([
    [2, 2],
    [2, 1],
    [1, 2],
  ])('a port with %d processes is in use for %d others', async (first, second) => {
    const { url } = await serving(MOCK, first);
    const { port } = new URL(url);
    const cwd = folder();
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(MOCK));
    const { code, out, err } = run(cwd, 'serve', '--port', port, '--workers', String(second));
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(`Cannot listen on 127.0.0.1:${port}: the port is in use, choose another with --port\n`);
    expect((await get(url, '/health/live')).status).toBe(200);
  });

  test('do not join another program that shares the port', async () => {
    await using other = shares();
    const { code, err } = run(folder(), 'serve', '--port', String(other.port), '--workers', '2');
    expect([code, err]).toEqual([1, expect.stringContaining('the port is in use')]);
  });

  test('serve from one of two proxies that start at the same time on one port', async () => {
    const other = shares();
    const port = String(other.port);
    await other.stop(true);
    const begin = () => serveAsWritten(folder(), '--port', port, '--workers', '2');
    const begun = await Promise.allSettled([begin(), begin()]);
    expect(begun.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [refused] = begun.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(String(refused!.reason)).toContain('the port is in use');
  });

  test('print once what a single process prints, and where they listen', async () => {
    const served = await serving({ ...MOCK, logging: { format: 'json' } });
    const told = said(served);
    await until('the last line', () => told().includes('Request log'));
    const messages = told()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages).toEqual([
      expect.stringContaining('PROVIDER'),
      expect.stringContaining('Models: '),
      `Workers: ${WORKERS} share the port`,
      `Page: ${served.url}/`,
      'Request log: logs, content full',
    ]);
  });
});

test.each(['0', '257', 'many', '1.5'])('--workers %s is refused', (workers) => {
  const { code, err } = run(folder(), 'serve', '--port', '0', '--workers', workers);
  expect([code, err]).toEqual([2, expect.stringContaining(`Cannot use --workers ${workers}`)]);
});

describe.each(process.platform === 'linux' ? [1, 2] : [1])('with %d processes', (workers) => {
  test('a client with a kept-alive connection never sees it break when the proxy stops', async () => {
    const { url, process } = await serving(MOCK, workers);
    const outcomes: string[] = [];
    const clients = Array.from({ length: 16 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (;;) {
        const outcome = await ask(url, agent);
        outcomes.push(outcome);
        if (outcome !== '200') return agent.destroy();
      }
    });
    await until('traffic', () => outcomes.length, { atLeast: 100 });
    process.kill('SIGTERM');
    await Promise.all(clients);
    // Rejected with a 503, or because nothing listens any more, but never in the middle of a request.
    expect(outcomes.filter((outcome) => !['200', '503 close', 'ECONNREFUSED'].includes(outcome))).toEqual([]);
    expect(await process.exited).toBe(0);
  });
});

/** A program that is able to share its port. */
const shares = () =>
  Bun.serve({ hostname: '127.0.0.1', port: 0, reusePort: true, fetch: () => new Response('other') });

/**
 * Sends one request over a kept-alive connection.
 * @returns its status and the `connection` header, or the code of an error
 */
function ask(url: string, agent: Agent): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = request(`${url}/v1/chat/completions`, { method: 'POST', agent }, (answer) => {
    const { statusCode, headers } = answer;
    answer.resume();
    answer.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    answer.on('end', () => resolve(statusCode === 200 ? '200' : `${statusCode} ${headers.connection}`));
  });
  asked.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  asked.end(JSON.stringify(CHAT));
  return promise;
}
