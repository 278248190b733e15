/** Expired content of the request log, while the program is serving. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { built, cleared, folder, run, serve } from '../helpers/binary.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const LIMIT_MS = 60_000;
const CHAT = { model: 'mock', messages: [{ role: 'user', content: 'a new question' }] };
const LINES = 5_000;
const PLAIN = 'llmproxy-2026-01-01.ndjson';
const PACKED = 'llmproxy-2026-01-02.ndjson.zst';
const WRITTEN = new Date('2026-01-02T12:00:00Z');

const old = (prefix: string) =>
  Array.from({ length: LINES }, (_, n) => {
    const messages = [{ role: 'user', content: `old secret ${'x'.repeat(1_000)}` }];
    const request = JSON.stringify({ model: 'small', messages });
    return encodeRecord(logRecord({ id: `${prefix}-${n}`, ts: '2026-01-01T05:06:07.000Z', request }));
  }).join('');

/** A folder with a configuration and two old log files. */
function prepared(workers: number): string {
  const cwd = folder();
  const logs = join(cwd, 'logs');
  mkdirSync(logs, { mode: 0o700 });
  writeFileSync(join(logs, PLAIN), old('plain'), { mode: 0o600 });
  writeFileSync(join(logs, PACKED), zstdCompressSync(Buffer.from(old('packed'))), { mode: 0o600 });
  for (const name of [PLAIN, PACKED]) utimesSync(join(logs, name), WRITTEN, WRITTEN);
  const config = {
    server: { workers },
    providers: [{ name: 'mock', type: 'mock' }],
    logging: { requests: { flush_interval: '10ms', retention: { content: '7d', head: '36500d' } } },
  };
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  return cwd;
}

const chat = async (url: string) => {
  const body = JSON.stringify(CHAT);
  return (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, keepalive: false })).status;
};

interface Line {
  readonly id: string;
  readonly content: string;
  readonly request?: unknown;
}

function linesOf(cwd: string, name: string): Line[] {
  const bytes = readFileSync(join(cwd, 'logs', name));
  const text = (name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

/** The contents of both files, checked to be complete. */
function contents(cwd: string): string[] {
  return [PLAIN, PACKED].map((name) => {
    const lines = linesOf(cwd, name);
    const prefix = name === PLAIN ? 'plain' : 'packed';
    expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: LINES }, (_, n) => `${prefix}-${n}`));
    const found = new Set(lines.map(({ content }) => content));
    expect(found.size).toBe(1);
    return [...found][0]!;
  });
}

const expired = (cwd: string) => () => contents(cwd).every((content) => content === 'expired');

const WAYS = [
  ['one process', 1],
  ...(process.platform === 'linux' ? ([['three workers', 3]] as const) : []),
] as const;

describe.each(WAYS)('retention of content, %s', (_, workers) => {
  test(
    'takes what people wrote out of old files and leaves the heads, and export counts them',
    async () => {
      const cwd = prepared(workers);
      const files = [PLAIN, PACKED].map((name) => join('logs', name));
      const used = run(cwd, 'usage', '--by', 'key,model,day', '--json', ...files).out;
      const { url, process } = await serve(cwd);
      for (let n = 0; n < 10; n += 1) expect(await chat(url)).toBe(200);
      await until('the old content to be gone', expired(cwd));
      expect(await chat(url)).toBe(200);
      process.kill('SIGTERM');
      expect(await process.exited).toBe(0);
      expect(await process.stderr.text()).not.toMatch(/Cannot|Took/);
      for (const name of [PLAIN, PACKED]) {
        const { mode, mtimeMs } = statSync(join(cwd, 'logs', name));
        expect([mode & 0o777, mtimeMs]).toEqual([0o600, WRITTEN.getTime()]);
        expect(linesOf(cwd, name).some((line) => 'request' in line)).toBe(false);
      }
      expect(used).toContain('small');
      expect(run(cwd, 'usage', '--by', 'key,model,day', '--json', ...files).out).toBe(used);
      const { code, err } = run(cwd, 'export', '--log-file', 'logs', '--output', 'rows.jsonl');
      expect(code).toBe(0);
      // All requests are the same, so one row remains.
      const rows = readFileSync(join(cwd, 'rows.jsonl'), 'utf8').trimEnd().split('\n');
      expect([rows.length, rows[0]!.includes('a new question')]).toEqual([1, true]);
      expect(err).toMatch(/dropped +10,000 {2}expired: /);
    },
    LIMIT_MS,
  );

  test(
    'leaves each file whole when the program is killed in the middle of it, and goes on later',
    async () => {
      const cwd = prepared(workers);
      for (let round = 0; round < 4; round += 1) {
        const { url, process } = await serve(cwd);
        expect(await chat(url)).toBe(200);
        await Bun.sleep(round * 15);
        process.kill('SIGKILL');
        await process.exited;
        // Workers end when their parent has ended.
        await Bun.sleep(workers > 1 ? 300 : 0);
        contents(cwd);
        for (const name of readdirSync(join(cwd, 'logs'))) {
          if (name.endsWith('.tmp')) utimesSync(join(cwd, 'logs', name), 1, 1);
        }
      }
      const { url } = await serve(cwd);
      expect(await chat(url)).toBe(200);
      await until('the old content to be gone', expired(cwd));
      await until('no copy to be left', () =>
        readdirSync(join(cwd, 'logs')).every((name) => !name.endsWith('.tmp')),
      );
      expect(existsSync(join(cwd, 'logs', PLAIN))).toBe(true);
    },
    LIMIT_MS,
  );
});
