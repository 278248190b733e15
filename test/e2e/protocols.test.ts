/** The compiled binary between clients and providers of every protocol, with code that it loads lazily. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { Upstream } from '../helpers/upstream.ts';
import { built, cleared, folder, serveConfig } from '../helpers/binary.ts';
import { addressed, CLIENTS, expected } from '../helpers/clients.ts';
import { SPEAKERS, speaker, speakerConfig } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

const names = Object.keys(SPEAKERS) as SpeakerName[];
const upstreams: Upstream[] = [];
let url = '';
let cwd = '';

function opened(made: Upstream): string {
  upstreams.push(made);
  return made.url;
}

/** Bedrock with signed requests, and Vertex with a sign-in: the code for both is loaded on first use. */
function signing(): { bedrock: Upstream; vertex: Upstream; file: string } {
  const tokens = upstream(() => Response.json({ access_token: 'ya29', expires_in: 3_600 }));
  const file = join(folder(), 'account.json');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    client_email: 'proxy@example.iam',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${opened(tokens)}/token`,
  };
  writeFileSync(file, JSON.stringify(account));
  const [bedrock, vertex] = [speaker('converse', 'stream'), speaker('gemini', 'whole')];
  opened(bedrock);
  opened(vertex);
  return { bedrock, vertex, file };
}

let signed: ReturnType<typeof signing>;

beforeAll(async () => {
  built();
  signed = signing();
  const home = folder();
  mkdirSync(join(home, '.aws'));
  const aws = '[default]\naws_access_key_id=AKIA1\naws_secret_access_key=secret\n';
  writeFileSync(join(home, '.aws/credentials'), aws);
  const speaking = names.flatMap((name) =>
    (['whole', 'stream'] as const).map((way) => ({
      ...speakerConfig(name, opened(speaker(name, way))),
      name: `${name}-${way}`,
      models: [`${name}-${way}`],
    })),
  );
  const config: ConfigInput = {
    providers: [
      ...speaking,
      { name: 'b', type: 'bedrock', base_url: signed.bedrock.url, region: 'eu-west-1', models: ['signed-b'] },
      {
        name: 'v',
        type: 'vertex',
        base_url: signed.vertex.url,
        project: 'p',
        credentials_file: signed.file,
        models: ['signed-v'],
      },
    ],
    logging: { level: 'error', requests: { flush_interval: '20ms' } },
  };
  // As on a machine on which `aws configure` was run.
  const serving = await serveConfig(config, { HOME: home, AWS_ACCESS_KEY_ID: '', AWS_PROFILE: '' });
  ({ url, cwd } = serving);
}, 60_000);

afterAll(async () => {
  cleared();
  for (const each of upstreams) await each[Symbol.asyncDispose]();
});

function post(path: string, given: JsonObject) {
  const [place, body] = addressed(path, given);
  return fetch(url + place, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const pairs = (Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]).flatMap((client) =>
  names.map((name) => [client, name] as const),
);

describe.each(pairs)('a client of %s at a provider of %s', (client, name) => {
  const { path, request, check, said } = CLIENTS[client];

  test('gets the same content unstreamed and streamed', async () => {
    const whole = (await (await post(path, { ...request, model: `${name}-whole` })).json()) as JsonObject;
    expect(said(whole)).toEqual(expected(CLIENTS[client]));
    const usage = client === 'chat' ? { stream_options: { include_usage: true } } : {};
    const reply = await post(path, { ...request, ...usage, model: `${name}-stream`, stream: true });
    const sse = await reply.text();
    // Relayed answers are the provider's own: only answers that the proxy writes are checked against the
    // grammar.
    if (client === name) return expect(sse).toContain('Looking ');
    const { value, problems } = check(sse);
    expect(problems).toEqual([]);
    expect(said(value)).toEqual(expected(CLIENTS[client]));
  });
});

test('requests are signed for Bedrock, whose frames are read', async () => {
  const { path, request, check } = CLIENTS.messages;
  const sse = await (await post(path, { ...request, model: 'signed-b', stream: true })).text();
  expect(check(sse).problems).toEqual([]);
  expect(signed.bedrock.asked[0]!.headers.get('authorization')).toStartWith(
    'AWS4-HMAC-SHA256 Credential=AKIA1/',
  );
});

test('a service account signs in for Vertex', async () => {
  const { path, request } = CLIENTS.chat;
  expect((await post(path, { ...request, model: 'signed-v' })).status).toBe(200);
  expect(signed.vertex.asked[0]!.headers.get('authorization')).toBe('Bearer ya29');
});

test('tokens are counted locally if the provider cannot count them', async () => {
  const messages = [{ role: 'user', content: 'Hello there' }];
  const reply = await post('/v1/messages/count_tokens', { model: 'chat-whole', messages });
  expect(await reply.json()).toEqual({ input_tokens: 9 });
});

test('every request is one line of the log, with its endpoint', async () => {
  const wanted = pairs.length * 2 + 3;
  const lines = () =>
    readdirSync(join(cwd, 'logs')).flatMap((file) =>
      readFileSync(join(cwd, 'logs', file), 'utf8')
        .split('\n')
        .filter(Boolean),
    );
  await until(`${wanted} records`, () => lines().length, { atLeast: wanted });
  const records = lines().map((line) => JSON.parse(line) as { endpoint: string; outcome: string });
  expect(records).toHaveLength(wanted);
  expect(records.filter(({ outcome }) => outcome !== 'success')).toEqual([]);
  const counts = Object.groupBy(records, ({ endpoint }) => endpoint);
  expect(Object.entries(counts).map(([endpoint, list]) => [endpoint, list!.length])).toEqual(
    expect.arrayContaining([
      ['chat', 13],
      ['messages', 13],
      ['responses', 12],
      ['gemini', 12],
      ['messages.count_tokens', 1],
    ]),
  );
});
