/** The requests that have ended, as the page reads them from the log. */
import { describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import type { PreviewAnswer, RequestDetail, RequestsAnswer, SeriesAnswer } from '../../src/web/api.ts';
import { schema } from '../../src/config/schema.ts';
import { logName, utcDay } from '../../src/logs/names.ts';
import { createProxy } from '../../src/proxy.ts';
import { beginningOf } from '../../src/server/page/history/beginning.ts';
import { searchFor, timeLimit } from '../../src/server/page/history/time-limit.ts';
import { HistoryThread } from '../../src/server/page/history/thread.ts';
import { systemClock } from '../../src/clock.ts';
import { listen } from '../../src/server/listen.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { usedMs } from '../helpers/cpu.ts';

const HOUR_MS = 3_600_000;

/** Starts a proxy with its own log. @param lines the log lines, each written to the file of its day */
async function withLog(
  lines: readonly string[],
  logging: NonNullable<ConfigInput['logging']>['requests'] = {},
) {
  const { path, ...directory } = await logDirectory();
  mkdirSync(path, { recursive: true });
  for (const each of lines) {
    const { ts } = JSON.parse(each) as LogRecord;
    appendFileSync(join(path, logName(utcDay(Date.parse(ts)), 0)), each);
  }
  const config = schema.parse({
    providers: [
      { name: 'm', type: 'mock', models: ['mock', { name: 'priced', price: { input: 1, output: 2 } }] },
    ],
    logging: { requests: { directory: path, flush_interval: '1ms', ...logging } },
  });
  const proxy = createProxy(config, { env: {} });
  const listener = listen(proxy, { host: '127.0.0.1', port: 0 });
  return {
    path,
    url: listener.url,
    get: async (question: string) => await fetch(`${listener.url}/page/${question}`),
    json: async <Answer>(question: string) =>
      (await (await fetch(`${listener.url}/page/${question}`)).json()) as Answer,
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await proxy.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const agoMs = (ms: number) => new Date(Date.now() - ms).toISOString();
const line = (changes: Partial<LogRecord>) => encodeRecord(logRecord({ ts: agoMs(HOUR_MS / 2), ...changes }));

describe('GET /page/requests', () => {
  test('returns the requests that match the filter page by page, newest first, without feedback', async () => {
    const lines = Array.from({ length: 250 }, (_, index) =>
      line({
        id: `r${index}`,
        ts: agoMs(HOUR_MS - index * 1_000),
        latency_ms: 1,
        model: index % 2 === 0 ? 'even' : 'odd',
      }),
    );
    await using at = await withLog([...lines, line({ id: 'said', endpoint: 'feedback', ts: agoMs(0) })]);
    const first = await at.json<RequestsAnswer>('requests?filter=model:even');
    expect([first.rows.length, first.rows[0]!.id, first.rows[99]!.id, first.complete]).toEqual([
      100,
      'r248',
      'r50',
      false,
    ]);
    const second = await at.json<RequestsAnswer>(`requests?filter=model:even&before=${first.before}`);
    // A page begins with the last row of the page before, or a request that ended at the same moment could be missed.
    expect([second.rows[0]!.id, second.rows.at(-1)!.id, second.complete]).toEqual(['r50', 'r0', true]);
    const since = await at.json<RequestsAnswer>('requests?filter=since:57m');
    expect(since.rows.length).toBeLessThan(100);
    expect((await at.get('requests?wat=1')).status).toBe(400);
  });

  test('returns no text of prompts or answers', async () => {
    await using at = await withLog([line({ id: 'one' })]);
    expect(await (await at.get('requests')).text()).not.toContain('Hello');
  });

  test('answers 503 and names the setting where the request log is off', async () => {
    await using at = await withLog([], { enabled: false });
    const answer = await at.get('requests');
    expect([answer.status, await answer.text()]).toEqual([
      503,
      expect.stringContaining('logging.requests.enabled'),
    ]);
  });
});

describe('GET /page/requests/ID', () => {
  const SAID: Record<string, [Partial<LogRecord>, object]> = {
    chat: [
      {
        request: JSON.stringify({
          messages: [
            { role: 'system', content: 'Be brief' },
            {
              role: 'user',
              content: [
                { type: 'text', text: 'Look' },
                { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
              ],
            },
            {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }],
            },
            { role: 'tool', tool_call_id: 'c1', content: 'seen' },
          ],
          tools: [{ type: 'function', function: { name: 'look' } }],
        }),
        response: JSON.stringify({
          choices: [{ message: { role: 'assistant', reasoning_content: 'hm', content: '<b>Hi</b>' } }],
        }),
      },
      {
        tools: ['look'],
        said: [
          { role: 'system', parts: [{ kind: 'text', text: 'Be brief' }] },
          {
            role: 'user',
            parts: [
              { kind: 'text', text: 'Look' },
              { kind: 'image', url: 'data:image/png;base64,AA==' },
            ],
          },
          { role: 'assistant', parts: [{ kind: 'call', name: 'look', id: 'c1', text: '{"a":1}' }] },
          { role: 'tool', parts: [{ kind: 'result', id: 'c1', text: 'seen' }] },
          {
            role: 'assistant',
            parts: [
              { kind: 'thinking', text: 'hm' },
              { kind: 'text', text: '<b>Hi</b>' },
            ],
          },
        ],
      },
    ],
    messages: [
      {
        request: JSON.stringify({
          model: 'c',
          max_tokens: 9,
          system: 'Be kind',
          messages: [{ role: 'user', content: 'Hi' }],
        }),
        response: JSON.stringify({
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'text', text: 'Yes' },
          ],
          stop_reason: 'end_turn',
          usage: { input_tokens: 1, output_tokens: 1 },
        }),
      },
      {
        said: [
          { role: 'system', parts: [{ kind: 'text', text: 'Be kind' }] },
          { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
          {
            role: 'assistant',
            parts: [
              { kind: 'thinking', text: 'hm' },
              { kind: 'text', text: 'Yes' },
            ],
          },
        ],
      },
    ],
    responses: [
      {
        request: JSON.stringify({ model: 'g', instructions: 'Be quick', input: 'Hi' }),
        response: JSON.stringify({
          id: 'r',
          object: 'response',
          status: 'completed',
          output: [
            {
              type: 'message',
              role: 'assistant',
              content: [{ type: 'output_text', text: 'Yes', annotations: [] }],
            },
          ],
        }),
      },
      {
        said: expect.arrayContaining([
          { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
          { role: 'assistant', parts: [{ kind: 'text', text: 'Yes' }] },
        ]),
      },
    ],
    gemini: [
      {
        request: '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}',
        response:
          '{"candidates":[{"content":{"role":"model","parts":[{"text":"Yes"}]},"finishReason":"STOP"}]}',
      },
      {
        said: [
          { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] },
          { role: 'assistant', parts: [{ kind: 'text', text: 'Yes' }] },
        ],
      },
    ],
    completions: [
      { request: '{"prompt":"Once"}', response: '{"choices":[{"text":" upon"}]}' },
      {
        said: [
          { role: 'user', parts: [{ kind: 'text', text: 'Once' }] },
          { role: 'assistant', parts: [{ kind: 'text', text: ' upon' }] },
        ],
      },
    ],
    embeddings: [
      { request: '{"input":"x"}', response: '{"data":[]}' },
      { said: null, unsaid: expect.stringContaining('not a conversation') },
    ],
  };

  test.each(Object.entries(SAID))(
    'shows a %s request as a conversation',
    async (endpoint, [bodies, expected]) => {
      await using at = await withLog([
        line({ id: 'one', endpoint: endpoint as LogRecord['endpoint'], ...bodies }),
      ]);
      expect(await at.json<RequestDetail>('requests/one')).toMatchObject({
        row: { id: 'one', endpoint },
        raw: { request: true, response: true },
        ...expected,
      });
    },
  );

  test('includes feedback that was given later', async () => {
    const feedback = { request_id: 'one', score: -1, label: false, comment: 'wrong', correction: 'No' };
    await using at = await withLog([
      line({ id: 'one' }),
      line({ id: 'f', endpoint: 'feedback', request: undefined, response: undefined, feedback }),
    ]);
    expect((await at.json<RequestDetail>('requests/one')).feedback).toMatchObject([
      { score: -1, label: false, comment: 'wrong', correction: 'No' },
    ]);
  });

  test('returns the bodies on demand as plain text', async () => {
    await using at = await withLog([
      line({ id: 'one' }),
      line({ id: 'bare', content: 'metadata', request: undefined, response: undefined }),
    ]);
    const body = await at.get('requests/one/request');
    expect(body.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await body.json()).toEqual({ model: 'small', messages: [{ role: 'user', content: 'Hi' }] });
    expect(await at.json<RequestDetail>('requests/bare')).toMatchObject({
      said: null,
      unsaid: 'The content is not logged (content: metadata).',
      raw: { request: false, response: false },
    });
    for (const missing of ['requests/bare/request', 'requests/none', 'requests/one/else'])
      expect([missing, (await at.get(missing)).status]).toEqual([missing, 404]);
  });

  test('shortens what is too long for a browser to show', async () => {
    const long = 'x'.repeat(300_000);
    const request = JSON.stringify({
      messages: [
        { role: 'user', content: long },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(4_000_000)}` } },
          ],
        },
      ],
    });
    await using at = await withLog([line({ id: 'one', request })]);
    const { said } = await at.json<RequestDetail>('requests/one');
    expect(said![0]!.parts[0]).toMatchObject({
      kind: 'text',
      text: expect.stringContaining('200000 more characters'),
    });
    expect(said![1]!.parts[0]).toMatchObject({ kind: 'other', name: 'image' });
  });
});

describe('GET /page/series', () => {
  test('sums usage by time and name, and adds requests that are logged later', async () => {
    await using at = await withLog([
      line({
        model: 'a',
        cost: 0.25,
        input_tokens: 10,
        output_tokens: 1,
        latency_ms: 100,
        first_content_ms: 50,
      }),
      line({ model: 'b', cost: 1, outcome: 'error', status: 500, latency_ms: 9_000 }),
      line({ model: 'b', cost: null, outcome: 'client_abort' }),
      line({ model: 'old', ts: agoMs(3 * HOUR_MS) }),
      line({ model: 'a', endpoint: 'feedback' }),
    ]);
    const { all, groups, count, complete } = await at.json<SeriesAnswer>('series?span=1h');
    expect([count, complete]).toEqual([60, true]);
    expect(all.total).toMatchObject({ requests: 3, errors: 1, cost: 1.25, unpriced: 1 });
    expect(all.buckets.filter(Boolean)).toHaveLength(1);
    expect(groups.map(({ name, total }) => [name, total.requests, total.errors])).toEqual([
      ['b', 2, 1],
      ['a', 1, 0],
    ]);
    const [, a] = groups;
    expect(a!.total.latency_p95! / 100).toBeWithin(0.9, 1.1);
    const written = (
      await fetch(`${at.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'priced', messages: [{ role: 'user', content: 'Hi' }] }),
      })
    ).status;
    expect(written).toBe(200);
    let more: SeriesAnswer;
    do more = await at.json<SeriesAnswer>('series?span=1h');
    while (more.all.total.requests < 4);
    expect(more.all.total.requests).toBe(4);
    expect((await at.json<SeriesAnswer>('series?span=24h&by=provider&filter=-failed')).groups).toMatchObject(
      [
        { name: 'm', total: { requests: 1 } },
        { name: 'local', total: { requests: 2 } },
      ].toSorted((x, y) => y.total.requests - x.total.requests),
    );
  });

  test('sums the smallest groups as others', async () => {
    await using at = await withLog(
      Array.from({ length: 60 }, (_, index) => line({ model: `m${index}`, cost: 60 - index })),
    );
    const { groups, all } = await at.json<SeriesAnswer>('series?span=1h');
    expect(groups.map(({ name, others }) => (others ? 'others' : name))).toEqual([
      'm0',
      'm1',
      'm2',
      'm3',
      'm4',
      'm5',
      'm6',
      'others',
    ]);
    expect(groups.reduce((sum, { total }) => sum + total.requests, 0)).toBe(60);
    expect(all.total.requests).toBe(60);
  });
});

describe('GET /page/preview', () => {
  test('shows the rows that the export makes of the filtered records, and leaves no files behind', async () => {
    await using at = await withLog([
      line({
        id: 'a',
        model: 'big',
        request: '{"messages":[{"role":"user","content":"mail me at ann@example.com"}]}',
      }),
      line({ id: 'b', model: 'big', outcome: 'error', status: 500, finish: null, response: undefined }),
      line({ id: 'c', model: 'small' }),
    ]);
    const before = readdirSync(join(at.path, '..')).filter((name) => name.startsWith('llmproxy-preview-'));
    const shown = await at.json<PreviewAnswer>('preview?filter=model:big&redact=true');
    expect(shown).toMatchObject({ records: 2, problem: null, dropped: { unsuccessful: 1 } });
    expect(shown.rows).toHaveLength(1);
    expect(JSON.parse(shown.rows[0]!)).toEqual({
      messages: [
        { role: 'user', content: expect.not.stringContaining('ann@example.com') },
        { role: 'assistant', content: 'Hello' },
      ],
    });
    expect(readdirSync(join(at.path, '..')).filter((name) => name.startsWith('llmproxy-preview-'))).toEqual(
      before,
    );
    expect((await at.json<PreviewAnswer>('preview?format=wat')).problem).toContain('--format');
  });
});

test('beginningOf() skips records that ended before a time, and none that ended since', async () => {
  await using directory = await logDirectory();
  const path = join(directory.path, 'log.ndjson');
  const [count, nowMs] = [12_000, Date.parse('2026-03-04T12:00:00.000Z')];
  const padding = 'x'.repeat(2_000);
  const lines = Array.from({ length: count }, (_, index) =>
    encodeRecord(
      logRecord({ ts: new Date(nowMs + index * 1_000).toISOString(), request: JSON.stringify({ padding }) }),
    ),
  );
  writeFileSync(path, lines.join(''));
  const fd = openSync(path, 'r');
  const size = fstatSync(fd).size;
  const starts = lines.map(
    (
      (at) => (each: string) =>
        (at += Buffer.byteLength(each)) - Buffer.byteLength(each)
    )(0),
  );
  for (const index of [0, 1, 3_000, 6_001, 11_999]) {
    const place = beginningOf(fd, size, nowMs + index * 1_000);
    expect(place).toBeLessThanOrEqual(starts[index]!);
    expect(starts[index]! - place).toBeLessThan(5 * 1024 ** 2);
    expect(starts.includes(place)).toBeTrue();
  }
  expect(beginningOf(fd, size, -Infinity)).toBe(0);
  expect(beginningOf(fd, 0, nowMs)).toBe(0);
  closeSync(fd);
});

test('timeLimit() ends a search that takes too long or that nobody waits for', () => {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  searchFor(flag);
  const { signal, isOver } = timeLimit(60_000);
  signal.throwIfAborted();
  Atomics.store(flag, 0, 1);
  const late = timeLimit(-1);
  for (const each of [signal, late.signal]) {
    let thrown: unknown;
    try {
      each.throwIfAborted();
    } catch (error) {
      thrown = error;
    }
    expect([isOver(thrown), each.aborted, isOver(new Error('another'))]).toEqual([true, true, false]);
  }
  searchFor(new Int32Array(new SharedArrayBuffer(4)));
});

test('HistoryThread starts at the first query, refuses more than 32 at once, and stops when it is closed', async () => {
  const history = new HistoryThread(systemClock);
  expect(history.running).toBeFalse();
  await using directory = await logDirectory();
  const ask = () =>
    history.ask({ kind: 'requests', directory: directory.path, filter: '', most: 1, before: null });
  expect(await ask()).toEqual({ rows: [], complete: true, before: null, problems: [] });
  const all = Array.from({ length: 33 }, ask);
  await expect(all.at(-1)!).rejects.toThrow('too many');
  await Promise.all(all.slice(0, -1));
  const unwanted = history.ask(
    { kind: 'requests', directory: directory.path, filter: '', most: 1, before: null },
    AbortSignal.abort(),
  );
  expect(await unwanted.catch((error: Error) => error.message)).toContain('no longer needed');
  const late = ask();
  history.close();
  await expect(late).rejects.toThrow('stopped');
  expect(history.running).toBeFalse();
});

test('GET /page/config masks keys and secrets', async () => {
  const config = schema.parse({
    auth: { keys: [{ name: 'boss', key: 'sk-client-0123456789', ops: true }] },
    providers: [
      {
        name: 'o',
        type: 'openai',
        api_key: 'sk-provider-0123456789',
        base_url: 'http://127.0.0.1:9/sk-provider-0123456789/v1',
      },
    ],
    logging: { requests: { enabled: false } },
  });
  const proxy = createProxy(config, { env: {} });
  const answer = await proxy.fetch(
    new Request('http://127.0.0.1/page/config', {
      headers: { authorization: 'Bearer sk-client-0123456789' },
    }),
    {},
  );
  const { yaml } = (await answer.json()) as { yaml: string };
  expect(yaml).toContain('name: boss');
  expect(yaml).not.toMatch(/sk-(?:client|provider)/);
  await proxy.close();
});

test('GET /page/config takes little time for a thousand providers', async () => {
  const providers = Array.from({ length: 1_000 }, (_, at) => ({ name: `p${at}`, type: 'mock' }));
  const config = schema.parse({ providers, logging: { requests: { enabled: false } } });
  const proxy = createProxy(config, { env: {} });
  const ask = async () => await (await proxy.fetch(new Request('http://127.0.0.1/page/config'), {})).json();
  const beganMs = usedMs();
  const { yaml } = (await ask()) as { yaml: string };
  const tookMs = usedMs() - beganMs;
  const value = Bun.YAML.parse(yaml) as { providers: object[] };
  expect(value.providers).toHaveLength(1_000);
  const stringMs = usedMs();
  stringify(value);
  expect(tookMs).toBeLessThan((usedMs() - stringMs) / 2);
  await proxy.close();
});

test('prompts, answers and previews are hidden from keys that may read ops pages only', async () => {
  await using directory = await logDirectory();
  writeFileSync(
    join(directory.path, logName(utcDay(Date.now()), 0)),
    line({ id: 'one', error: 'quotes Hello' }),
  );
  const config = schema.parse({
    auth: {
      keys: [
        { name: 'boss', key: 'k-boss', ops: true },
        { name: 'scraper', key: 'k-scrape', ops: 'only' },
      ],
    },
    providers: [{ name: 'm', type: 'mock', models: ['mock'] }],
    logging: { requests: { directory: directory.path } },
  });
  const proxy = createProxy(config, { env: {} });
  const url = (path: string) => `http://127.0.0.1/page/${path}`;
  const own = { 'content-type': 'application/json', 'x-llmproxy-page': '1' };
  for (const key of ['k-boss', 'k-scrape']) {
    const body = JSON.stringify({ key });
    const signedIn = await proxy.fetch(
      new Request(url('session'), { method: 'POST', headers: own, body }),
      {},
    );
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
    for (const headers of [{ cookie }, { authorization: `Bearer ${key}` }] as Record<string, string>[]) {
      const get = async (path: string) => await proxy.fetch(new Request(url(path), { headers }), {});
      const [detail, raw, preview, rows] = await Promise.all(
        ['requests/one', 'requests/one/request', 'preview', 'requests'].map(get),
      );
      const shown = [await detail!.text(), await raw!.text(), await preview!.text()].map((text) =>
        /Hello|Hi/.test(text),
      );
      const reads = key === 'k-boss';
      expect([key, shown, raw!.status, preview!.status]).toEqual([
        key,
        [reads, reads, reads],
        reads ? 200 : 403,
        reads ? 200 : 403,
      ]);
      expect(rows!.status).toBe(200);
    }
  }
  await proxy.close();
});

describe('the playground', () => {
  const chat = { model: 'mock', messages: [{ role: 'user', content: 'Hi' }] };
  const headers = { 'content-type': 'application/json', 'x-llmproxy-page': '1' };

  test('sends requests with the key that signed in, within the permissions of that key', async () => {
    const config = schema.parse({
      auth: {
        keys: [
          { name: 'boss', key: 'k-boss', ops: true, models: ['mock'] },
          { name: 'watcher', key: 'k-watch', ops: 'only' },
        ],
      },
      providers: [{ name: 'm', type: 'mock', models: ['mock', 'other'] }],
      logging: { requests: { enabled: false } },
    });
    const records: LogRecord[] = [];
    const proxy = createProxy(config, { env: {}, sinks: [(record) => records.push(record)] });
    const send = async (path: string, body: object, more: object = {}) =>
      await proxy.fetch(
        new Request(`http://127.0.0.1/page/${path}`, {
          method: 'POST',
          headers: { ...headers, ...more },
          body: JSON.stringify(body),
        }),
        {},
      );
    const cookie = async (key: string) =>
      (await send('session', { key })).headers.get('set-cookie')!.split(';')[0]!;
    const boss = await cookie('k-boss');
    const answer = await send('chat', chat, { cookie: boss });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { choices: [{ finish_reason: 'stop' }] },
    ]);
    expect(records).toMatchObject([{ key: 'boss', model: 'mock' }]);
    expect((await send('chat', { ...chat, model: 'other' }, { cookie: boss })).status).toBe(403);
    expect((await send('chat', chat, { cookie: await cookie('k-watch') })).status).toBe(403);
    expect((await send('chat', chat)).status).toBe(401);
    const models = await proxy.fetch(
      new Request('http://127.0.0.1/page/models', { headers: { cookie: boss } }),
      {},
    );
    expect(await models.json()).toEqual({ models: ['mock'] });
    await proxy.close();
  });
});
