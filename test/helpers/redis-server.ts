import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisClient } from 'bun';

/** The installed server, Valkey or Redis, or the one that the environment names; `null` if there is none. */
export const REDIS_SERVER =
  process.env.LLMPROXY_REDIS_SERVER ?? Bun.which('valkey-server') ?? Bun.which('redis-server');

if (REDIS_SERVER === null) {
  if (process.env.LLMPROXY_TEST_SCALE === '1')
    throw new Error('Cannot test shared limits: neither valkey-server nor redis-server is installed');
  process.stderr.write(
    'Shared limits are not tested: neither valkey-server nor redis-server is installed.\n',
  );
}

/** The ACL rules that docs/scale.md documents for the server's user. */
export const DOCUMENTED_RULES: readonly string[] = /an ACL user needs `([^`]+)`/
  .exec(readFileSync(join(import.meta.dir, '../../docs/scale.md'), 'utf8'))![1]!
  .split(/\s+/);

/** A real server on its own port, which stores nothing on disk. */
export class TestRedis implements AsyncDisposable {
  readonly port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'llmproxy-redis-'));
  readonly #args: readonly string[];
  #process: Bun.Subprocess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async start(...args: string[]): Promise<TestRedis> {
    const server = new TestRedis(freePort(), args);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The TLS port, which uses the certificate that the server was started with. */
  async tlsPort(): Promise<number> {
    const port = freePort();
    await this.send('CONFIG', 'SET', 'tls-port', String(port));
    return port;
  }

  /** Sends it a command over a separate connection. */
  async send(command: string, ...args: string[]): Promise<unknown> {
    const client = new RedisClient(this.url);
    try {
      return await client.send(command, args);
    } finally {
      client.close();
    }
  }

  async start(): Promise<void> {
    const where = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    const memory = ['--save', '', '--appendonly', 'no'];
    this.#process = Bun.spawn([REDIS_SERVER!, ...where, ...memory, ...this.#args], { stdout: 'ignore' });
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`Cannot start ${REDIS_SERVER}`);
      try {
        // It listens when it is ready.
        const socket = await Bun.connect({
          hostname: '127.0.0.1',
          port: this.port,
          socket: { data: () => undefined },
        });
        socket.end();
        return;
      } catch {
        await Bun.sleep(20);
      }
    }
  }

  /** Freezes it like a machine that hangs: connections stay open, and nothing answers. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process!.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#process?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
