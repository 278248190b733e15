/**
 * Forms that two parsers could read differently: the compiled binary routes by the same values that the
 * provider receives.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import type { Serving } from '../helpers/binary.ts';
import { upstream } from '../helpers/upstream.ts';

const provided = upstream(() => Response.json({ text: 'spoken' }));
let serving: Serving;

beforeAll(async () => {
  built();
  const models = [{ name: 'cheap', upstream: 'cheap-1' }];
  serving = await serveConfig({
    logging: { requests: { enabled: false } },
    providers: [{ name: 'a', type: 'openai-compatible', base_url: provided.url, models }],
  });
}, 60_000);
afterAll(async () => {
  cleared();
  await provided[Symbol.asyncDispose]();
});

const part = (disposition: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
const FILE = part('name="file"; filename="a.wav"', 'sound');
const CHEAP = part('name="model"', 'cheap');

const post = (body: string) =>
  fetch(`${serving.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `${body}--b--\r\n`,
  });

test('a form reaches the provider unchanged except for the model', async () => {
  expect((await post(FILE + CHEAP + part('name="stream"', 'False'))).status).toBe(200);
  expect(provided.asked.at(-1)!.text).toBe(
    `${FILE + CHEAP.replace('cheap', 'cheap-1') + part('name="stream"', 'False')}--b--\r\n`,
  );
});

test.each([
  ['a second model', CHEAP + part('name="model"', 'dear'), 'model'],
  ['a file for a second model', CHEAP + part('name="model"; filename="x"', 'dear'), 'model'],
  ['an extended name', CHEAP + part("name*=utf-8''model", 'dear'), null],
  ['a name in capitals, twice', part('NAME="model"', 'cheap') + part('Name=model', 'dear'), 'model'],
  ['a second stream', `${CHEAP}${part('name="stream"', 'true')}${part('name="stream"', 'false')}`, 'stream'],
  ['a stream that is neither', CHEAP + part('name="stream"', 'perhaps'), 'stream'],
  [
    'a field behind a line feed',
    part('name="x"', 'x\n--b\nContent-Disposition: form-data; name="model"\n\ndear') + CHEAP,
    null,
  ],
  ['a form behind the form', `${CHEAP}--b--\r\n${part('name="model"', 'dear')}`, null],
])('%s is a 400, and no provider is asked', async (_, body, param) => {
  const before = provided.asked.length;
  const answer = await post(FILE + body);
  const { error } = (await answer.json()) as { error: { type: string; param: string | null } };
  expect([answer.status, error.type, error.param]).toEqual([400, 'invalid_request_error', param]);
  expect(provided.asked.length).toBe(before);
});
