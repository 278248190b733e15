/** Authentication at providers, over real sockets: keys, OAuth tokens and AWS signatures. */
import { afterAll, describe, expect, test } from 'bun:test';
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, jwtVerify } from 'jose';
import type { Asked } from '../helpers/upstream.ts';
import { profileOf } from '../../src/providers/auth/aws.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmproxy-credentials-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GEMINI = {
  candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, finishReason: 'STOP' }],
};
const CONVERSE = {
  output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
};
const OPENAI = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

function accountFile(tokenUri: string): string {
  const path = join(folder, 'account.json');
  const account = {
    type: 'service_account',
    client_email: 'proxy@example.iam',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    private_key_id: 'k1',
    token_uri: tokenUri,
  };
  writeFileSync(path, JSON.stringify(account));
  return path;
}

const authorization = ({ headers }: Asked) => headers.get('authorization');

describe('Vertex', () => {
  test('signs in with a service account’s own JWT, once for all requests', async () => {
    await using tokens = upstream(() => Response.json({ access_token: 'ya29.a', expires_in: 3_600 }));
    await using vertex = upstream(() => Response.json(GEMINI));
    await using proxy = running({
      providers: [
        {
          name: 'v',
          type: 'vertex',
          base_url: vertex.url,
          project: 'p1',
          region: 'us-central1',
          credentials_file: accountFile(`${tokens.url}/token`),
          models: ['gemini-*'],
        },
      ],
    });
    const ask = () => proxy.post('/v1/chat/completions', { ...CHAT, model: 'gemini-2.5-pro' });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(vertex.asked.map(authorization)).toEqual(['Bearer ya29.a', 'Bearer ya29.a', 'Bearer ya29.a']);
    expect(vertex.asked[0]!.path).toBe(
      '/v1/projects/p1/locations/us-central1/publishers/google/models/gemini-2.5-pro:generateContent',
    );
    expect(tokens.asked).toHaveLength(1);
    const form = new URLSearchParams(tokens.asked[0]!.text);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const assertion = form.get('assertion')!;
    await jwtVerify(assertion, publicKey, { audience: `${tokens.url}/token`, issuer: 'proxy@example.iam' });
    expect(decodeJwt(assertion).scope).toBe('https://www.googleapis.com/auth/cloud-platform');
  });

  test('gets the token from the metadata server if there is no credentials file', async () => {
    await using metadata = upstream(() => Response.json({ access_token: 'ya29.m', expires_in: 3_600 }));
    await using vertex = upstream(() => Response.json(GEMINI));
    const config = { name: 'v', type: 'vertex' as const, base_url: vertex.url, models: ['gemini-*'] };
    await using proxy = running(
      { providers: [config] },
      { GCE_METADATA_HOST: new URL(metadata.url).host, GOOGLE_CLOUD_PROJECT: 'p2' },
    );
    const answer = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'gemini-2.5-pro' });
    expect(answer.status).toBe(200);
    expect(metadata.asked[0]!.headers.get('metadata-flavor')).toBe('Google');
    expect(vertex.asked.map(authorization)).toEqual(['Bearer ya29.m']);
    expect(vertex.asked[0]!.path).toStartWith('/v1/projects/p2/locations/global/');
  });

  test('sends requests for a tuned model to the endpoint where it is deployed', async () => {
    await using vertex = upstream(() => Response.json(GEMINI));
    await using proxy = running({
      providers: [
        { name: 'v', type: 'vertex', base_url: vertex.url, api_key: 'k', project: 'p', models: ['*/*'] },
      ],
    });
    const tuned = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'endpoints/1234567' });
    expect(tuned.status).toBe(200);
    const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
    const path = '/v1/projects/other/locations/here/endpoints/1234567:generateContent';
    const own = await fetch(`${proxy.url}${path}`, { method: 'POST', body: JSON.stringify({ contents }) });
    expect(own.status).toBe(200);
    const place = '/v1/projects/p/locations/global/endpoints/1234567:generateContent';
    expect(vertex.asked.map(({ path: asked }) => asked)).toEqual([place, place]);
  });

  test('uses Anthropic’s protocol for Claude, with the model in the path and the version in the body', async () => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'c', content: [] };
    await using vertex = upstream(() => Response.json({ ...message, stop_reason: 'end_turn' }));
    await using proxy = running({
      providers: [{ name: 'v', type: 'vertex', base_url: vertex.url, api_key: 'k', models: ['claude-*'] }],
    });
    await proxy.post('/v1/chat/completions', { ...CHAT, model: 'claude-sonnet-4-5' });
    const [asked] = vertex.asked;
    expect(asked!.path).toEndWith('/publishers/anthropic/models/claude-sonnet-4-5:rawPredict');
    const body = JSON.parse(asked!.text);
    expect(body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', max_tokens: 64_000 });
    expect(body).not.toHaveProperty('model');
    expect(asked!.headers.get('x-goog-api-key')).toBe('k');
  });

  test.each([
    [
      'refuses',
      () => Response.json({ error: 'invalid_grant', error_description: 's3cret' }, { status: 400 }),
    ],
    ['is broken', () => new Response('<html>', { status: 200 })],
  ])('fails over when the token server %s, and reveals no secret', async (_, script) => {
    await using tokens = upstream(script);
    await using other = upstream(() => Response.json(OPENAI));
    await using proxy = running({
      providers: [
        {
          name: 'v',
          type: 'vertex',
          credentials_file: accountFile(tokens.url),
          models: ['m'],
          project: 'p',
        },
        { name: 'o', type: 'openai-compatible', base_url: other.url, models: ['m'], priority: 2 },
      ],
    });
    const answer = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'm' });
    expect(answer.status).toBe(200);
    const [record] = await proxy.recorded(1);
    expect(record!.attempt_log.map(({ fault }) => fault)).toEqual(['auth', null]);
    const page = await (await fetch(`${proxy.url}/providers`)).text();
    expect(page).toContain('Cannot sign in for v');
    expect(page).not.toContain('s3cret');
  });

  test('names a credentials file that cannot be read', async () => {
    await using proxy = running({
      providers: [
        { name: 'v', type: 'vertex', credentials_file: '/nowhere.json', models: ['m'], project: 'p' },
      ],
    });
    await proxy.post('/v1/chat/completions', { ...CHAT, model: 'm' });
    const page = await (await fetch(`${proxy.url}/providers`)).text();
    expect(page).toContain('Cannot sign in for v: /nowhere.json cannot be read');
  });

  const vertexAnd = (next: string, own: object) => [
    { name: 'v', type: 'vertex' as const, project: 'p', models: ['m'], max_retries: 0, ...own },
    { name: 'next', type: 'openai-compatible' as const, base_url: next, models: ['m'], priority: 2 },
  ];

  test('fails over when the metadata server closes the connection', async () => {
    const cut = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: { data: (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{') },
    });
    await using next = upstream(() => Response.json(OPENAI));
    const env = { GCE_METADATA_HOST: `127.0.0.1:${cut.port}` };
    await using proxy = running({ providers: vertexAnd(next.url, {}) }, env);
    expect((await proxy.post('/v1/chat/completions', { ...CHAT, model: 'm' })).status).toBe(200);
    expect((await proxy.recorded(1))[0]!.attempt_log.map(({ fault }) => fault)).toEqual(['network', null]);
    cut.stop(true);
  });

  test.each([{ private_key: 'no key' }, { token_uri: 'no address' }])(
    'fails over when the credentials file has %j',
    async (wrong) => {
      const path = accountFile('https://oauth2.googleapis.com/token');
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...wrong }));
      await using next = upstream(() => Response.json(OPENAI));
      await using proxy = running({ providers: vertexAnd(next.url, { credentials_file: path }) });
      expect((await proxy.post('/v1/chat/completions', { ...CHAT, model: 'm' })).status).toBe(200);
      expect((await proxy.recorded(1))[0]!.attempt_log.map(({ fault }) => fault)).toEqual(['auth', null]);
    },
  );
});

describe('Azure', () => {
  test('signs in at Entra with client credentials, and sends requests to the deployment’s URL', async () => {
    await using tokens = upstream(() => Response.json({ access_token: 'eyJ.e', expires_in: 3_599 }));
    await using azure = upstream(() => Response.json(OPENAI));
    const config = {
      name: 'a',
      type: 'azure' as const,
      base_url: azure.url,
      api_version: '2024-10-21',
      tenant_id: 't1',
      client_id: 'c1',
      client_secret: 'hush',
      models: ['*'],
    };
    await using proxy = running({ providers: [config] }, { AZURE_AUTHORITY_HOST: tokens.url });
    const answer = await proxy.post('/v1/chat/completions', { ...CHAT, model: 'my deployment' });
    expect(answer.status).toBe(200);
    expect(tokens.asked[0]!.path).toBe('/t1/oauth2/v2.0/token');
    expect(Object.fromEntries(new URLSearchParams(tokens.asked[0]!.text))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'c1',
      client_secret: 'hush',
      scope: 'https://cognitiveservices.azure.com/.default',
    });
    expect(authorization(azure.asked[0]!)).toBe('Bearer eyJ.e');
    expect(azure.asked[0]!.path).toBe(
      '/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21',
    );
  });
});

/** The signature that a request should have, computed as in AWS’s documentation. */
function signatureOf({ path, headers, text }: Asked, secret: string): string {
  const [, date = '', region = '', signed = ''] =
    /Credential=[^/]+\/(\d+)\/([^/]+)\/bedrock\/aws4_request, SignedHeaders=([^,]+)/.exec(
      headers.get('authorization') ?? '',
    ) ?? [];
  const sha = (data: string) => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const canonicalPath = path.split('/').map(encodeURIComponent).join('/');
  const lines = signed.split(';').map((name) => `${name}:${headers.get(name)?.trim()}\n`);
  const bodyHash = headers.get('x-amz-content-sha256') ?? sha(text);
  const canonical = ['POST', canonicalPath, '', lines.join(''), signed, bodyHash].join('\n');
  const scope = `${date}/${region}/bedrock/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers.get('x-amz-date'), scope, sha(canonical)].join('\n');
  const key = ['bedrock', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secret}`, date), region));
  return hmac(key, toSign).toString('hex');
}

describe('Bedrock', () => {
  const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const asked = { ...CHAT, model };

  test.each([
    ['the environment', { AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 'sec+ret/1' }, {}],
    ['a profile', {}, { profile: 'work' }],
  ])('signs requests with credentials from %s', async (_, env, extra) => {
    const file = join(folder, 'aws');
    writeFileSync(
      file,
      '[default]\naws_access_key_id = no\n[work]\naws_access_key_id=AKIA1\naws_secret_access_key = sec+ret/1\n',
    );
    await using bedrock = upstream(() => Response.json(CONVERSE));
    const config = {
      name: 'b',
      type: 'bedrock' as const,
      base_url: bedrock.url,
      region: 'eu-west-1',
      ...extra,
    };
    await using proxy = running({ providers: [config] }, { AWS_SHARED_CREDENTIALS_FILE: file, ...env });
    const answer = await proxy.post('/v1/chat/completions', asked);
    expect(answer.status).toBe(200);
    const [request] = bedrock.asked;
    expect(request!.path).toBe('/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse');
    expect(authorization(request!)).toStartWith('AWS4-HMAC-SHA256 Credential=AKIA1/');
    expect(authorization(request!)).toEndWith(`Signature=${signatureOf(request!, 'sec+ret/1')}`);
  });

  test('sends a Bedrock API key as a bearer token', async () => {
    await using bedrock = upstream(() => Response.json(CONVERSE));
    await using proxy = running(
      { providers: [{ name: 'b', type: 'bedrock', base_url: bedrock.url }] },
      { AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key' },
    );
    expect((await proxy.post('/v1/chat/completions', asked)).status).toBe(200);
    expect(authorization(bedrock.asked[0]!)).toBe('Bearer bedrock-key');
  });

  test('profileOf() reads both kinds of AWS file', () => {
    const text = '# c\n[default]\nregion=a\n\n[profile work]\n region = b \nrole_arn=x\n[other]\nregion=c';
    expect(profileOf(text, 'work')).toEqual({ region: 'b', role_arn: 'x' });
    expect(profileOf(text, 'none')).toEqual({});
  });
});
