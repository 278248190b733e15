/** What happens to requests when the process is stopped, reloads its configuration, or is killed. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Serving } from '../helpers/binary.ts';
import { BINARY, built, cleared, folder, run, serve, serveConfig } from '../helpers/binary.ts';
import { brokenProvider } from '../helpers/broken.ts';
import { until } from '../helpers/until.ts';

const CHAT = { model: 'mock', messages: [{ role: 'user', content: 'hi' }] };
const SLOW: ConfigInput = { providers: [{ name: 'mock', type: 'mock', mock: { tokens_per_second: 20 } }] };

beforeAll(built, 60_000);
afterAll(cleared);

const post = (url: string, body: object, init: RequestInit = {}) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body), ...init });

function lines(cwd: string): { id: string; outcome: string; fault: string | null }[] {
  const directory = join(cwd, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as { id: string; outcome: string; fault: string | null });
}

/** Starts this many streams and waits until each has sent something. */
async function streams(url: string, count: number): Promise<{ rest: () => Promise<string> }[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const reader = (await post(url, { ...CHAT, stream: true })).body!.getReader();
      const decoder = new TextDecoder();
      let text = decoder.decode((await reader.read()).value, { stream: true });
      const rest = async () => {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) return text;
          text += decoder.decode(value, { stream: true });
        }
      };
      return { rest };
    }),
  );
}

test('SIGTERM lets streams finish, accepts nothing new, and loses no record', async () => {
  const { url, cwd, process } = await serveConfig(SLOW);
  const open = await streams(url, 20);
  process.kill('SIGTERM');
  const texts = await Promise.all(open.map(({ rest }) => rest()));
  expect(texts.every((text) => text.endsWith('data: [DONE]\n\n'))).toBe(true);
  expect(await process.exited).toBe(0);
  const refused = await post(url, CHAT).catch((error: { code?: string }) => error.code);
  expect(refused).toBe('ECONNREFUSED');
  expect(lines(cwd).map(({ outcome }) => outcome)).toEqual(Array(20).fill('success'));
});

test('streams that are not finished within server.drain_timeout end with an error event', async () => {
  const { url, cwd, process } = await serveConfig({ ...SLOW, server: { drain_timeout: '50ms' } });
  const open = await streams(url, 5);
  process.kill('SIGTERM');
  const texts = await Promise.all(open.map(({ rest }) => rest()));
  for (const text of texts) {
    expect([text.includes('"shutting_down"'), text.includes('[DONE]')]).toEqual([true, false]);
  }
  expect(await process.exited).toBe(0);
  expect(lines(cwd)).toMatchObject(
    Array.from({ length: 5 }, () => ({ outcome: 'truncated', fault: 'shutting_down' })),
  );
});

test('a second signal ends running streams at once, with an error event', async () => {
  const { url, cwd, process } = await serveConfig({ ...SLOW, server: { drain_timeout: '5m' } });
  const open = await streams(url, 5);
  process.kill('SIGINT');
  await until('requests to be refused', () =>
    post(url, CHAT).then(
      ({ status }) => status === 503,
      () => true,
    ),
  );
  process.kill('SIGINT');
  const texts = await Promise.all(open.map(({ rest }) => rest()));
  for (const text of texts) {
    expect([text.includes('"shutting_down"'), text.includes('[DONE]')]).toEqual([true, false]);
  }
  expect(await process.exited).toBe(0);
  const cut = lines(cwd).filter(({ outcome }) => outcome === 'truncated');
  expect(cut.map(({ fault }) => fault)).toEqual(Array(5).fill('shutting_down'));
});

const providersOf = async ({ url }: Serving) =>
  (
    (await (await fetch(`${url}/providers`)).json()) as {
      providers: { name: string; state: string; reasons: string[]; breakers: { open: number } }[];
    }
  ).providers;

test('a changed configuration is applied while requests run, without affecting them', async () => {
  const serving = await serveConfig(SLOW);
  const path = join(serving.cwd, 'config.yaml');
  const [stream] = await streams(serving.url, 1);
  const statuses: number[] = [];
  const stop = new AbortController();
  const traffic = (async () => {
    while (!stop.signal.aborted) statuses.push((await post(serving.url, CHAT)).status);
  })();
  const names = async () => (await providersOf(serving)).map(({ name }) => name);
  for (const name of ['second', 'third']) {
    writeFileSync(path, JSON.stringify({ providers: [{ name, type: 'mock' }] }));
    serving.process.kill('SIGHUP');
    await until(`provider ${name}`, async () => (await names())[0], { is: name });
  }
  writeFileSync(path, 'providers: []\nnonsense: 1\n');
  serving.process.kill('SIGHUP');
  await Bun.sleep(50);
  expect(await names()).toEqual(['third']);
  stop.abort();
  await traffic;
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await stream!.rest()).endsWith('data: [DONE]\n\n')).toBe(true);
});

test('a changed file is read again without a signal', async () => {
  const serving = await serveConfig(SLOW);
  writeFileSync(
    join(serving.cwd, 'config.yaml'),
    JSON.stringify({ providers: [{ name: 'new', type: 'mock' }] }),
  );
  const names = async () => (await providersOf(serving)).map(({ name }) => name);
  await until('another provider', async () => (await names())[0] !== 'mock');
  expect(await names()).toEqual(['new']);
  const { status, headers } = await post(serving.url, { ...CHAT, max_tokens: 1 });
  expect([status, headers.get('x-llmproxy-provider')]).toEqual([200, 'new']);
});

test('open breakers survive a reload, and refused keys are tried again', async () => {
  await using broken = await brokenProvider();
  const provider = (name: string) => ({
    name,
    type: 'openai-compatible' as const,
    base_url: `${broken.url}/v1`,
    models: ['*'],
    max_retries: 0,
  });
  const config: ConfigInput = {
    health: { probe: 'never' },
    routing: { breaker: { failures: 1, cooldown: '1h', max_cooldown: '1h' } },
    providers: [provider('failing'), provider('refusing')],
  };
  const serving = await serveConfig(config);
  await post(serving.url, { ...CHAT, model: 'failing/500' });
  await post(serving.url, { ...CHAT, model: 'refusing/401' });
  const states = async () => (await providersOf(serving)).map(({ reasons }) => reasons.join('; '));
  expect(await states()).toEqual(['breaker open for 500', 'down after auth']);
  serving.process.kill('SIGHUP');
  await until('the rejected key to be tried again', async () => (await states())[1], { is: '' });
  expect((await states())[0]).toBe('breaker open for 500');
});

test.each([[1], [2]])(
  'signals that mean something to other servers only do not end %i process(es) without a configuration file',
  async (workers) => {
    const serving = await serve(folder(), '--workers', String(workers));
    expect((await post(serving.url, CHAT)).status).toBe(200);
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
      serving.process.kill(signal);
      await Bun.sleep(20);
      expect((await post(serving.url, CHAT)).status).toBe(200);
    }
    serving.process.kill('SIGTERM');
    expect(await serving.process.exited).toBe(0);
    const told = await new Response(serving.process.stderr as ReadableStream).text();
    expect(told).toContain('SIGHUP: there is no configuration file to reload');
    expect(told).toContain('SIGUSR1 is ignored: the request log rotates by itself');
    expect(lines(serving.cwd)).toHaveLength(4);
  },
);

test('a closed terminal stops a proxy without a configuration file as Ctrl-C does', async () => {
  const cwd = folder();
  const heard = Promise.withResolvers<void>();
  const shown: string[] = [];
  const child = Bun.spawn([BINARY, 'serve', '--port', '0'], {
    cwd,
    terminal: {
      data(_, bytes) {
        shown.push(new TextDecoder().decode(bytes));
        if (shown.join('').includes('Request log')) heard.resolve();
      },
    },
  });
  await heard.promise;
  const url = /http:\/\/[\d.:]+/.exec(shown.join(''))![0];
  await post(url, CHAT);
  child.kill('SIGHUP');
  expect(await child.exited).toBe(0);
  expect(lines(cwd)).toHaveLength(1);
});

test('kill -9 under load loses at most what was not flushed, and the next start continues the log', async () => {
  const config: ConfigInput = {
    providers: [{ name: 'mock', type: 'mock' }],
    logging: { requests: { flush_interval: '10ms' } },
  };
  const first = await serveConfig(config);
  let answered = 0;
  const clients = Array.from({ length: 8 }, async () => {
    for (;;) {
      const response = await post(first.url, CHAT).catch(() => undefined);
      if (!response) return;
      await response.text().catch(() => undefined);
      answered += 1;
    }
  });
  await until('300 answers', () => answered, { atLeast: 300 });
  first.process.kill('SIGKILL');
  await Promise.all(clients);
  const whole = lines(first.cwd).length;
  expect(whole).toBeGreaterThan(100);
  const second = await serve(first.cwd);
  expect((await post(second.url, CHAT)).status).toBe(200);
  second.process.kill('SIGTERM');
  expect(await second.process.exited).toBe(0);
  const exported = run(first.cwd, 'export', '--log-file', 'logs', '--output', 'out.jsonl', '--quiet');
  expect([exported.code, exported.err]).toEqual([0, '']);
  const rows = readFileSync(join(first.cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n');
  expect(rows.length).toBeGreaterThan(0);
});

test('clients that send headers or bodies slowly delay nobody; a body that takes too long is a 408', async () => {
  const { url, cwd } = await serveConfig({ ...SLOW, limits: { body_timeout: '200ms' } });
  const { hostname, port } = new URL(url);
  const dribble = (text: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    let heard = '';
    let timer: Timer | undefined;
    // Waits for the connection, because data written earlier would be sent before it.
    const socket = connect(Number(port), hostname, () => {
      socket.write(text);
      timer = setInterval(() => socket.write('x'), 20);
    });
    socket.on('data', (data) => (heard += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(heard);
    });
    return { heard: promise, end: () => socket.destroy() };
  };
  const headers = Array.from({ length: 200 }, () =>
    dribble('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-a: '),
  );
  const bodies = Array.from({ length: 20 }, () =>
    dribble(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{"model":"',
    ),
  );
  expect((await post(url, { ...CHAT, max_tokens: 1 })).status).toBe(200);
  const answers = await Promise.all(bodies.map(({ heard }) => heard));
  // A connection is closed while its client still sends, so the system may discard the answer.
  const arrived = answers.filter((answer) => answer !== '');
  expect(arrived).not.toEqual([]);
  for (const answer of arrived) expect(answer).toStartWith('HTTP/1.1 408 ');
  for (const { end } of headers) end();
  await until('21 records', () => lines(cwd).length, { is: 21 });
  expect(lines(cwd).filter(({ fault }) => fault === 'request_timeout')).toHaveLength(20);
});

test('floods of headers and of large bodies are refused, and counted', async () => {
  const limits = { max_body: '64KiB', max_buffered: '256KiB', max_concurrent: 30 };
  const { url, cwd } = await serveConfig({ ...SLOW, limits });
  expect((await post(url, CHAT, { headers: { 'x-flood': 'x'.repeat(100_000) } })).status).toBe(431);
  const large = { ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(100_000) }] };
  expect((await post(url, large)).status).toBe(413);
  const fitting = { ...CHAT, stream: true, messages: [{ role: 'user', content: 'x'.repeat(60_000) }] };
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(url, fitting)));
  const statuses = answers.map(({ status }) => status);
  expect([statuses.filter((status) => status === 200).length, statuses.includes(503)]).toEqual([4, true]);
  await Promise.all(answers.map((answer) => answer.text()));
  const small = await Promise.all(Array.from({ length: 60 }, () => post(url, { ...CHAT, stream: true })));
  expect(new Set(small.map(({ status }) => status))).toEqual(new Set([200, 503]));
  await Promise.all(small.map((answer) => answer.text()));
  expect((await post(url, { ...CHAT, max_tokens: 1 })).status).toBe(200);
  await until('a record of each request', () => lines(cwd).length, { is: 72 });
});

test('a client that reads nothing is disconnected, the upstream request is cancelled, and memory stays bounded', async () => {
  await using broken = await brokenProvider();
  const serving = await serveConfig({
    limits: { client_stall: '300ms', max_response: '1GiB' },
    logging: { requests: { flush_interval: '10ms' } },
    providers: [{ name: 'a', type: 'openai-compatible', base_url: `${broken.url}/v1`, models: ['*'] }],
  });
  const { hostname, port } = new URL(serving.url);
  const body = JSON.stringify({ ...CHAT, model: 'endless', stream: true });
  const sockets = Array.from({ length: 10 }, () => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    socket.on('error', () => undefined);
    return socket.pause();
  });
  await until('10 records', () => lines(serving.cwd).length, { is: 10 });
  expect(lines(serving.cwd)).toMatchObject(
    Array.from({ length: 10 }, () => ({ outcome: 'client_abort', fault: 'client_stall' })),
  );
  await until('the provider’s requests to be cancelled', () =>
    broken.attempts.every(({ closedBy }) => closedBy === 'them'),
  );
  expect((await providersOf(serving))[0]!.state).toBe('healthy');
  // Without a bound, ten endless answers would take gigabytes by now.
  const metrics = await (await fetch(`${serving.url}/metrics`)).text();
  const bytes = Number(/^llmproxy_process_resident_memory_bytes (\S+)$/m.exec(metrics)![1]);
  expect(bytes).toBeLessThan(400 * 1024 ** 2);
  for (const socket of sockets) socket.destroy();
});

test.skipIf(process.platform === 'win32')(
  'goes on when nobody reads its stderr any more',
  async () => {
    const cwd = folder();
    const write = (level: string) =>
      writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ ...SLOW, logging: { level } }));
    write('info');
    const child = Bun.spawn(['bash', '-c', `exec "$0" serve --port 0 2> >(head -c 1 > /dev/null)`, BINARY], {
      env: process.env,
      cwd,
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const { value } = await child.stdout.getReader().read();
    const url = /http:\/\/[\d.:]+/.exec(new TextDecoder().decode(value))![0];
    // Each reload is reported in a line.
    for (const level of ['info', 'debug', 'info', 'debug']) {
      write(level);
      await Bun.sleep(1_100);
    }
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await child.exited).toBe(0);
  },
  60_000,
);
