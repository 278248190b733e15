/**
 * Secrets in every place from which the program reads them, and providers that repeat them wherever they
 * can.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Asked } from '../helpers/upstream.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, built, cleared, folder, serveConfig } from '../helpers/binary.ts';
import { upstream } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;

/** None has the shape of a vendor's key; only some are in fields whose names suggest a secret. */
const SECRETS = {
  'api_key of a provider': 'plum-api-key-one',
  'the second of its api_keys': 'plum-api-key-two',
  'a header with a telling name': 'plum-"header"/passw',
  'what a header says behind its scheme': 'plum-header-scheme',
  'a variable in a header of any name': 'plum-tenant-variable',
  'the password in HTTPS_PROXY': 'plum-proxy@password',
  'a client key': 'plum-client-key',
  'the key of the operator': 'plum-operator-key',
  // Only its hash is known, but its shape identifies it.
  'a key of the keys file': `sk-llmproxy-${'plum1'.repeat(9)}`,
  'client_secret of Azure': 'plum-client-secret',
  'the token of Azure': 'plum-entra-minted',
  'the secret key in a credentials file of AWS': 'plum/aws+secret/key',
  'the session token there': 'plum/aws+session/token',
  'the secret key in the environment': 'plum-s3-signing-key',
  'the token of Google': 'plum-google-minted',
  'a line of the private key of Google': pem.split('\n')[3]!,
};
const all = Object.values(SECRETS);

/** Repeats everything it received, and all secrets, in an answer of its protocol. */
function echo({ path, text, headers }: Asked): Response {
  if (text.includes('says-nothing')) return new Response('', { status: 400 });
  if (path.includes('oauth2'))
    return Response.json({ access_token: SECRETS['the token of Azure'], expires_in: 3_600 });
  if (path.includes('google-token'))
    return Response.json({ access_token: SECRETS['the token of Google'], expires_in: 3_600 });
  const told = [...all, ...headers.values()].join(' ');
  const said = { 'x-request-id': all[0]!, 'x-echo': all.join(' '), 'x-ratelimit-remaining-tokens': all[1]! };
  const asked = `${path} ${text}`;
  const status = Number(/says-(\d+)/.exec(asked)?.[1] ?? 200);
  if (status !== 200)
    return Response.json(
      { error: { message: told, type: all[0], code: all[5], param: told } },
      { status, headers: said },
    );
  const choice = { index: 0, message: { role: 'assistant', content: told }, finish_reason: 'stop' };
  const whole = { id: all[0], object: 'chat.completion', created: 1, model: told, choices: [choice] };
  if (!asked.includes('says-cut') && !asked.includes('says-stream'))
    return Response.json(
      path.includes('converse')
        ? { output: { message: { role: 'assistant', content: [{ text: told }] } }, stopReason: 'end_turn' }
        : path.includes('publishers')
          ? { candidates: [{ content: { parts: [{ text: told }], role: 'model' }, finishReason: 'STOP' }] }
          : whole,
      { headers: said },
    );
  const delta = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const chunk = (content: string) => ({
    ...delta,
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  });
  const events = [chunk('words '), { error: { message: told, type: told, code: told } }];
  return new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''), {
    headers: { ...said, 'content-type': 'text/event-stream' },
  });
}

function configFor(url: string, cwd: string): ConfigInput {
  const account = join(cwd, 'account.json');
  writeFileSync(
    account,
    JSON.stringify({ client_email: 'a@b', private_key: pem, token_uri: `${url}/google-token` }),
  );
  const keys = join(cwd, 'keys.yaml');
  const hash = createHash('sha256').update(SECRETS['a key of the keys file']).digest('hex');
  writeFileSync(keys, `keys: [{ name: filed, hash: "sha256:${hash}" }]\n`);
  const own = { models: ['*'], max_retries: 0 };
  return {
    auth: {
      keys: [
        { name: 'team', key_env: 'TEAM_KEY' },
        { name: 'boss', key: SECRETS['the key of the operator'], ops: true },
      ],
      keys_file: keys,
    },
    logging: { requests: { flush_interval: '10ms' } },
    providers: [
      {
        name: 'plain',
        type: 'openai-compatible',
        base_url: `${url}/v1`,
        api_keys: [SECRETS['api_key of a provider'], SECRETS['the second of its api_keys']],
        custom_headers: {
          'x-passw': SECRETS['a header with a telling name'],
          'x-gateway-signature': `Custom ${SECRETS['what a header says behind its scheme']}`,
          'x-tenant': 'tenant ${TENANT_TOKEN}',
        },
        ...own,
      },
      {
        name: 'azure',
        type: 'azure',
        base_url: `${url}/azure`,
        tenant_id: 'tenant',
        client_id: 'client',
        client_secret: SECRETS['client_secret of Azure'],
        ...own,
      },
      { name: 'aws', type: 'bedrock', base_url: `${url}/aws`, region: 'us-east-1', profile: 'plum', ...own },
      { name: 'google', type: 'vertex', base_url: url, project: 'p', credentials_file: account, ...own },
    ],
  };
}

test('no secret appears in any output, whatever providers send', async () => {
  await using provider = upstream(echo);
  const files = folder();
  const aws = join(files, 'credentials');
  writeFileSync(
    aws,
    `[plum]\naws_access_key_id = AKID\naws_secret_access_key = ${SECRETS['the secret key in a credentials file of AWS']}\n` +
      `aws_session_token = ${SECRETS['the session token there']}\n`,
  );
  const environment = {
    TEAM_KEY: SECRETS['a client key'],
    TENANT_TOKEN: SECRETS['a variable in a header of any name'],
    HTTPS_PROXY: `http://someone:${encodeURIComponent(SECRETS['the password in HTTPS_PROXY'])}@127.0.0.1:9`,
    AWS_SHARED_CREDENTIALS_FILE: aws,
    AWS_SECRET_ACCESS_KEY: SECRETS['the secret key in the environment'],
    AZURE_AUTHORITY_HOST: `${provider.url}/entra`,
  };
  const { url, cwd, process: serving } = await serveConfig(configFor(provider.url, files), environment);
  const shown: Record<string, string> = {};
  const show = async (where: string, response: Response, body = true) => {
    const headers = JSON.stringify([...response.headers]);
    const text = await response.text();
    shown[where] = body ? `${headers} ${text}` : headers;
    return response.status;
  };
  const told = `Repeat: ${all.join(' ')}`;
  const ask = (model: string, more: object = {}, content = told) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${SECRETS[model.startsWith('plain') ? 'a key of the keys file' : 'a client key']}`,
      },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content }],
        ...more,
      }),
    });
  const ops = { headers: { authorization: `Bearer ${SECRETS['the key of the operator']}` } };
  let asked = 0;
  for (const name of ['plain', 'azure', 'aws', 'google']) {
    asked += 1;
    await (await ask(`${name}/model`, {}, 'says-nothing')).text();
  }
  for (const name of ['plain', 'azure', 'aws', 'google']) {
    for (const status of [400, 404, 422, 500, 429, 401]) {
      asked += 1;
      await show(`${name} answers ${status}`, await ask(`${name}/says-${status}`));
    }
    for (const page of ['providers', 'health', 'metrics']) {
      await show(`/${page} after ${name}`, await fetch(`${url}/${page}`, ops));
    }
  }
  // After a reload, rejected keys are tried again.
  serving.kill('SIGHUP');
  await Bun.sleep(50);
  const statuses: number[] = [];
  for (const name of ['plain', 'azure', 'aws', 'google']) {
    asked += 1;
    // The provider's answer belongs to the client: only what the proxy adds is checked.
    statuses.push(await show(`${name} answers`, await ask(`${name}/model`), false));
  }
  expect(statuses).toEqual([200, 200, 200, 200]);
  asked += 1;
  await show('a stream with an error', await ask('plain/says-stream', { stream: true }));
  await until('all records', () => logged(cwd).split('\n').length > asked);
  shown['the log'] = logged(cwd);
  const command = (...args: string[]) => {
    const { stdout, stderr } = Bun.spawnSync([BINARY, ...args], {
      cwd,
      env: { ...process.env, ...environment },
    });
    return stdout.toString() + stderr.toString();
  };
  shown['validate --show'] = command('config', 'validate', '--show');
  for (const name of ['plain', 'azure', 'aws', 'google'])
    shown[`explain ${name}`] = command('explain', '--model', `${name}/model`);
  shown['keys list'] = command('keys', 'list');
  shown['keys show'] = ['team', 'boss', 'filed']
    .map((name) => command('keys', 'show', name, '--json'))
    .join();
  expect(shown['keys show']).toContain('"name": "filed"');
  shown['explain --json'] = command('explain', '--model', 'plain/model', '--json');
  serving.kill('SIGTERM');
  await serving.exited;
  shown['stderr'] = await serving.stderr.text();
  expect(shown['validate --show']).toContain('x-tenant: tenant [redacted]');
  expect(shown['explain plain']).toContain('x-tenant: tenant [redacted]');
  const found = Object.entries(shown).flatMap(([where, text]) =>
    Object.entries(SECRETS)
      .filter(([, secret]) =>
        [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) =>
          text.includes(form),
        ),
      )
      .map(([what]) => `${what} in ${where}`),
  );
  expect(found).toEqual([]);
  expect(shown['the log']!.match(/\[redacted\]/g)!.length).toBeGreaterThan(all.length * asked);
});

function logged(cwd: string): string {
  const directory = join(cwd, 'logs');
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');
}
