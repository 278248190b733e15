import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import type { RecordSink } from '../../src/pipeline/streams/sinks.ts';
import { schema } from '../../src/config/schema.ts';
import { createProxy } from '../../src/proxy.ts';
import { listen } from '../../src/server/listen.ts';
import { addressed } from './clients.ts';
import { until } from './until.ts';

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly records: LogRecord[];
  /** The messages to the operator. */
  readonly problems: readonly string[];
  /** Waits until this many records exist. */
  readonly recorded: (count: number) => Promise<LogRecord[]>;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  /** Applies another configuration. */
  readonly reload: (config: ConfigInput) => void;
}

/**
 * A proxy on a real socket, built as `serve` builds it, with its log in a temporary folder.
 * @param further sinks that receive each record before the list of records does
 * @param clock the system's, unless a test is to wait less
 */
export function running(
  config: ConfigInput,
  env: Record<string, string> = {},
  further: readonly RecordSink[] = [],
  clock?: Clock,
): Running {
  const directory = mkdtempSync(join(tmpdir(), 'llmproxy-test-'));
  const parse = (input: ConfigInput) => {
    const parsed = schema.parse(input);
    parsed.logging.requests.directory = directory;
    return parsed;
  };
  const records: LogRecord[] = [];
  const problems: string[] = [];
  const sinks = [...further, (record: LogRecord) => records.push(record)];
  const onProblem = (message: string) => void problems.push(message);
  const proxy = createProxy(parse(config), { env, sinks, onProblem, clock });
  const listener = listen(proxy, { host: '127.0.0.1', port: 0 });
  return {
    url: listener.url,
    records,
    problems,
    async recorded(count) {
      return await until(`${count} records`, () => records.length >= count && records);
    },
    post(path, given, init = {}) {
      const [place, body] = addressed(path, given);
      return fetch(listener.url + place, {
        method: 'POST',
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
      });
    },
    reload: (next) => void proxy.reload(parse(next)),
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await proxy.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A provider at an upstream, with short retry delays. */
export function provider(
  name: string,
  baseUrl: string,
  extra: object = {},
): ConfigInput['providers'][number] {
  return {
    name,
    type: 'openai-compatible',
    base_url: baseUrl,
    models: ['gpt-*'],
    retry_delay: '1ms',
    ...extra,
  };
}

export const CHAT = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] };
