/** The unix socket of the compiled binary. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, folder, run, serve, serveAsWritten } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';

const BODY = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hello' }] });
const MOCK = { name: 'mock', type: 'mock' } as const;

beforeAll(built, 60_000);
afterAll(cleared);

function prepared(server: ConfigInput['server'], more: Partial<ConfigInput> = {}): string {
  const cwd = folder();
  const config = { providers: [MOCK], ...more, server: { unix: 'llm.sock', ...server } };
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config, null, 2));
  return cwd;
}

const ask = ({ cwd }: Serving, init: BunFetchRequestInit = {}): Promise<Response> =>
  fetch('http://localhost/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: BODY,
    unix: join(cwd, 'llm.sock'),
    ...init,
  });

describe.skipIf(process.platform === 'win32')('server.unix', () => {
  test.concurrent(
    'is accessible only to its owner, and removed at the end',
    async () => {
      const server = await serveAsWritten(prepared({}));
      const socket = join(server.cwd, 'llm.sock');
      expect(server.url).toBe(`unix:${socket}`);
      expect(statSync(socket).mode & 0o777).toBe(0o600);
      expect((await ask(server)).status).toBe(200);
      expect(run(server.cwd, 'health', '--url', 'unix:llm.sock').code).toBe(0);
      const missing = run(server.cwd, 'health', '--url', 'unix:other.sock');
      expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('there is no such socket')]);
      server.process.kill();
      expect(await server.process.exited).toBe(0);
      expect(existsSync(socket)).toBeFalse();
    },
    60_000,
  );

  test.concurrent(
    'that a killed process left is replaced; one in use is not',
    async () => {
      const cwd = prepared({ unix_mode: '0660' }, { auth: { keys: [{ name: 'a', key: 'secret' }] } });
      const first = await serveAsWritten(cwd);
      expect(statSync(join(cwd, 'llm.sock')).mode & 0o777).toBe(0o660);
      const second = run(cwd, 'serve');
      expect([second.code, second.err]).toEqual([
        1,
        expect.stringContaining('another process listens there'),
      ]);
      const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
      expect((await ask(first, { headers })).status).toBe(200);
      first.process.kill('SIGKILL');
      await first.process.exited;
      expect(existsSync(join(cwd, 'llm.sock'))).toBeTrue();
      const third = await serveAsWritten(cwd);
      expect((await ask(third, { headers })).status).toBe(200);
    },
    60_000,
  );

  test.concurrent(
    'goes to one of several processes that start at the same moment',
    async () => {
      const cwd = prepared({}, { logging: { requests: { enabled: false } } });
      const killed = await serveAsWritten(cwd);
      killed.process.kill('SIGKILL');
      await killed.process.exited;
      const begun = await Promise.allSettled([1, 2, 3].map(() => serveAsWritten(cwd)));
      const serving = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(serving).toHaveLength(1);
      expect((await ask(serving[0]!)).status).toBe(200);
    },
    60_000,
  );

  test('does not replace a file, and says what is wrong with a path', () => {
    const cwd = prepared({});
    writeFileSync(join(cwd, 'llm.sock'), 'precious');
    const told = (at: string) => {
      const { code, err } = run(at, 'serve');
      expect(code).toBe(1);
      return err;
    };
    expect(told(cwd)).toContain('something other than a socket exists there');
    expect(statSync(join(cwd, 'llm.sock')).size).toBe(8);
    expect(told(prepared({ unix: 'nowhere/llm.sock' }))).toContain('there is no such directory');
    expect(told(prepared({ unix: 'l'.repeat(120) }))).toContain('the path is longer than 107 bytes');
    expect(told(prepared({ unix_mode: '0666' }))).toContain('Add auth.keys or server.unix_mode "0600"');
    expect(told(prepared({ tls: { cert: 'a', key: 'b' } }))).toContain('`tls` belongs to a port');
  }, 60_000);

  test.concurrent(
    'is served by one process, and counts clients without an address together',
    async () => {
      const limits = [{ requests: 1, per: 'minute', each: 'address' }] as ConfigInput['rate_limits'];
      const server = await serveAsWritten(prepared({ workers: 2 }, { rate_limits: limits }));
      expect((await ask(server)).status).toBe(200);
      expect((await ask(server)).status).toBe(429);
      server.process.kill();
      const said = await new Response(server.process.stderr).text();
      expect(said).toContain('Cannot share a unix socket between 2 workers: one process serves');
    },
    60_000,
  );

  test.concurrent(
    'is overridden by --port',
    async () => {
      const server = await serve(prepared({}));
      expect(server.url).toStartWith('http://127.0.0.1:');
      expect(existsSync(join(server.cwd, 'llm.sock'))).toBeFalse();
    },
    60_000,
  );

  test.concurrent(
    'supports HTTP/2 if enabled, and finishes running requests',
    async () => {
      const slow = { name: 'slow', type: 'mock', mock: { latency: '700ms' } } as const;
      const cwd = prepared({ http2: true }, { providers: [slow] });
      const server = await serveAsWritten(cwd);
      const socket = join(cwd, 'llm.sock');
      const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
      session.on('error', () => session.destroy());
      const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' });
      const { promise: status, resolve } = Promise.withResolvers<unknown>();
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.on('error', resolve);
      stream.end(BODY);
      await until('the request', async () => {
        const seen = await fetch('http://localhost/health', { unix: socket });
        return ((await seen.json()) as { in_flight: number }).in_flight === 1;
      });
      server.process.kill();
      expect(await status).toBe(200);
      expect(await server.process.exited).toBe(0);
    },
    60_000,
  );
});
