/**
 * The compiled binary and invalid answers: they are retried elsewhere, never passed on, and recorded
 * whatever they contain.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { Serving } from '../helpers/binary.ts';
import { recordSchema } from '../../src/logs/record-schema.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { addressed, CLIENTS } from '../helpers/clients.ts';
import { loggedIn } from '../helpers/logged.ts';
import { rawUpstream } from '../helpers/raw-upstream.ts';
import { speakerConfig, SPEAKERS, eventStream } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

const { type, whole, events, end } = SPEAKERS.chat;
const asksForStream = (text: string) => text.includes('"stream":true');

/** Invalid answers and streams of a chat provider, which no client may receive. */
const ODD: Readonly<Record<string, readonly [whole: unknown, event: object]>> = {
  'message-null': [{ choices: [{ message: null }] }, { choices: [null] }],
  'choices-empty': [{ choices: [] }, { choices: {} }],
  'choices-object': [{ choices: {} }, { choices: [{ delta: [] }] }],
  list: [[1], [1]],
  'message-list': [{ choices: [{ message: [] }] }, { choices: [{ delta: { content: 5 } }] }],
};
const STATUSES = [204, 205, 206, 600, 999];
const odd = [...Object.keys(ODD), ...STATUSES.map((status) => `status-${status}`)];

const closing: AsyncDisposable[] = [];
let serving: Serving;

beforeAll(async () => {
  built();
  const opened = <T extends AsyncDisposable & { url: string }>(made: T): string => {
    closing.push(made);
    return made.url;
  };
  const answering = (given: unknown, all: readonly (readonly [string, object])[]) =>
    opened(
      upstream(({ text }) =>
        asksForStream(text) ? eventStream(type, all, end) : new Response(JSON.stringify(given), json),
      ),
    );
  const json = { headers: { 'content-type': 'application/json' } };
  const urls: Record<string, string> = { good: answering(whole, events) };
  for (const [name, [given, event]] of Object.entries(ODD)) urls[name] = answering(given, [['', event]]);
  for (const status of STATUSES) {
    const body = JSON.stringify(whole);
    const head = `HTTP/1.1 ${status} Odd\r\ncontent-type: application/json\r\nconnection: close\r\n`;
    urls[`status-${status}`] = opened(
      await rawUpstream(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
  }
  const usage = { prompt_tokens: -1, completion_tokens: 1e300, total_tokens: 0.5 };
  const spoiled = events.map(([name, data]) => [name, 'usage' in data ? { ...data, usage } : data] as const);
  urls.minus = answering({ ...whole, usage }, spoiled);
  serving = await serveConfig({
    logging: { requests: { flush_interval: '10ms' } },
    routing: { breaker: { failures: 1_000, min_calls: 1_000 } },
    limits: { max_buffered: '1MB' },
    providers: Object.entries(urls).map(([name, url]) => ({ ...speakerConfig('chat', url), name })),
    models: Object.fromEntries(
      odd.flatMap((name) => [
        [`alone-${name}`, { targets: [`${name}/m-1`] }],
        [`pair-${name}`, { targets: [`${name}/m-1`, 'good/m-1'] }],
      ]),
    ),
  });
}, 120_000);

afterAll(async () => {
  cleared();
  for (const each of closing) await each[Symbol.asyncDispose]();
});

function post(at: string, asked: object): Promise<Response> {
  const [path, body] = addressed(at, asked);
  return fetch(serving.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** The record of a request, checked against the documented schema. */
async function logged(reply: Response): Promise<ReadRecord> {
  return recordSchema.parse(await loggedIn(serving.cwd, reply.headers.get('x-request-id')!));
}

/** Clients of every protocol, including Ollama's. */
const ASKING: Readonly<Record<string, { path: string; request: object }>> = {
  ...CLIENTS,
  'ollama.chat': { path: '/api/chat', request: { messages: [{ role: 'user', content: 'hi' }] } },
  'ollama.generate': { path: '/api/generate', request: { prompt: 'hi' } },
};

describe.each(Object.keys(ASKING))('a client of %s', (client) => {
  const { path, request } = ASKING[client]!;

  test.each(odd.flatMap((name) => [false, true].map((stream) => [name, stream] as const)))(
    'never gets %s (streamed: %p)',
    async (name, stream) => {
      const alone = await post(path, { ...request, model: `alone-${name}`, stream });
      // Ollama's errors consist only of a message.
      const told = client.startsWith('ollama') ? 'Cannot use the answer of ' : 'malformed';
      expect([alone.status, await alone.text()]).toEqual([502, expect.stringContaining(told)]);
      expect(await logged(alone)).toMatchObject({ outcome: 'error', status: 502, fault: 'malformed' });
      const pair = await post(path, { ...request, model: `pair-${name}`, stream });
      expect([pair.status, await pair.text()]).toEqual([200, expect.stringContaining('Looking ')]);
      expect(await logged(pair)).toMatchObject({ outcome: 'success', provider: 'good' });
    },
  );

  test.each([false, true])(
    'is answered when usage is below 0, and the memory of its request is released (streamed: %p)',
    async (stream) => {
      const metadata = { note: 'x'.repeat(200_000) };
      for (let n = 0; n < 8; n += 1) {
        const reply = await post(path, { ...request, model: 'minus/m-1', stream, metadata });
        expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('Looking ')]);
        const { outcome, input_tokens, output_tokens } = await logged(reply);
        expect([outcome, input_tokens ?? 0, output_tokens ?? 0]).toEqual(['success', 0, 0]);
      }
      const page = await (await fetch(`${serving.url}/metrics`)).text();
      expect(page).toMatch(/^llmproxy_in_flight 0$/m);
      expect(page).toMatch(/^llmproxy_buffered_bytes 0$/m);
      expect(page).toMatch(/^llmproxy_sink_errors_total\{sink="metrics"\} 0$/m);
    },
  );
});
