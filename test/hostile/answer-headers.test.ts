/** Response headers whose content a client chooses stay small: clients accept at most 16 KiB of headers. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { rawRequest } from '../helpers/raw-request.ts';

const CONFIG: ConfigInput = {
  providers: [{ name: 'mock', type: 'mock', models: ['mock', 'mock-*'] }],
  logging: { requests: { enabled: false } },
};
const MAX = 1_024;

let serving: Serving;

beforeAll(async () => {
  built();
  serving = await serveConfig(CONFIG);
}, 60_000);
afterAll(cleared);

/** The `x-llmproxy-dropped` header for a message with blocks of these types. */
async function dropped(types: readonly string[]): Promise<string> {
  const blocks = types.map((type) => ({ type }));
  const content = [{ type: 'text', text: 'hi' }, ...blocks];
  const body = JSON.stringify({ model: 'mock', max_tokens: 8, messages: [{ role: 'user', content }] });
  const answer = await rawRequest(serving.url, '/v1/messages', { method: 'POST', body });
  expect(answer.status).toBe(200);
  return answer.header('x-llmproxy-dropped') ?? '';
}

test('x-llmproxy-dropped names what fits, and counts the rest', async () => {
  expect(await dropped(['a', 'b'])).toBe('content.a, content.b');
  const many = await dropped(Array.from({ length: 9_000 }, (_, index) => `kind-${index}`));
  expect(many.length).toBeLessThanOrEqual(MAX);
  expect(many.length).toBeGreaterThan(MAX / 2);
  const [, rest = ''] = /^content\.kind-0, content\.kind-1, .*, and (\d+) more$/.exec(many) ?? [];
  expect(many.split(', ').length - 1 + Number(rest)).toBe(9_000);
});

test.each([
  ['long names', ['x'.repeat(90_000), 'y'.repeat(90_000)]],
  [
    'characters that a header cannot carry',
    ['ü'.repeat(30_000), '🌳'.repeat(30_000), '\ud83c', 'a\r\nset-cookie: a=b'],
  ],
  ['many long names', Array.from({ length: 400 }, (_, index) => `${index}${'漢'.repeat(300)}`)],
])('x-llmproxy-dropped is a small header of printable ASCII: %s', async (_, types) => {
  const value = await dropped(types);
  expect(value.length).toBeLessThanOrEqual(MAX);
  expect(value).toMatch(/^content\.[\x20-\x7e]+$/);
  // Names are cut between characters, not within them.
  for (const name of value.split(', ')) expect(() => decodeURIComponent(name)).not.toThrow();
});

test('x-llmproxy-model stays a small header, whatever the name of the model', async () => {
  for (const name of ['x'.repeat(2_000), '漢'.repeat(2_000), '🌳'.repeat(1_000)]) {
    const body = JSON.stringify({ model: `mock-${name}`, messages: [{ role: 'user', content: 'hi' }] });
    const answer = await rawRequest(serving.url, '/v1/chat/completions', { method: 'POST', body });
    expect(answer.status).toBe(200);
    const shown = answer.header('x-llmproxy-model')!;
    expect(shown.length).toBeLessThanOrEqual(MAX);
    expect(shown).toMatch(/^mock-.*\.\.\.$/);
    expect(answer.head.length).toBeLessThan(4_096);
  }
});
