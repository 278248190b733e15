/**
 * Keys that a provider repeats do not appear in answers, on pages or in the log, before and after a reload.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Serving } from '../helpers/binary.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const FIRST = 'first-upstream-credential';
const SECOND = 'second/upstream-credential';
const HEADER = 'operators-own-header-token';
const LARGE = 'x'.repeat(300_000);

/** Repeats the credentials that it received, in an error or in a large answer. */
const provider = upstream(({ headers, text }) => {
  const told = `${headers.get('authorization')} ${headers.get('x-gateway-token')}, and before ${FIRST}`;
  if (text.includes('refuse')) return Response.json({ error: { message: told } }, { status: 400 });
  return completion(told + LARGE);
});
let serving: Serving;

const config = (key: string) => ({
  providers: [
    {
      name: 'a',
      type: 'openai-compatible' as const,
      base_url: provider.url,
      models: ['m'],
      api_key: key,
      custom_headers: { 'x-gateway-token': HEADER },
    },
  ],
});

beforeAll(async () => {
  built();
  serving = await serveConfig(config(FIRST));
}, 60_000);
afterAll(async () => {
  cleared();
  await provider[Symbol.asyncDispose]();
});

const ask = (content: string) =>
  fetch(`${serving.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  });

/** The complete log. */
function log(): string {
  const directory = join(serving.cwd, 'logs');
  if (!existsSync(directory)) return '';
  return readdirSync(directory)
    .map((file) => readFileSync(join(directory, file), 'utf8'))
    .join('');
}

test('a replaced key, its successor and a configured header are all masked', async () => {
  writeFileSync(join(serving.cwd, 'config.yaml'), JSON.stringify(config(SECOND)));
  serving.process.kill('SIGHUP');
  await until('the new key', async () => {
    await ask('refuse');
    return provider.asked.at(-1)!.headers.get('authorization') === `Bearer ${SECOND}`;
  });
  const refused = await (await ask('refuse')).text();
  expect(refused).toContain('[redacted]');
  const large = await (await ask('tell')).text();
  expect(large).toContain(LARGE);
  await until('the large record', () => log().includes(LARGE));
  const pages = await (await fetch(`${serving.url}/providers`)).text();
  for (const secret of [FIRST, SECOND, SECOND.replace('/', '\\/'), HEADER])
    for (const [where, text] of Object.entries({ refused, pages, log: log() }))
      expect([where, secret, text.includes(secret)]).toEqual([where, secret, false]);
});
