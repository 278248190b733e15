import { describe, expect, test } from 'bun:test';
import { sameServices } from '../../src/config/changes.ts';
import { secretsOf } from '../../src/config/keys.ts';
import { masked } from '../../src/config/mask.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ProviderConfig } from '../../src/config/schema.ts';

const parsed = (provider: string) =>
  loadConfig({ path: 'config.yaml', text: `providers: [{ name: one, ${provider} }]\n`, env: {} }).config!;

describe('The secrets of a configuration', () => {
  test("are bedrock's signing key and session token too", () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'signing', AWS_SESSION_TOKEN: 'session' };
    expect(secretsOf(parsed('type: bedrock, region: us-east-1'), env)).toEqual(['signing', 'session']);
  });

  test('are in configured headers whose name says so', () => {
    const headers = '{ X-Auth: "Bearer abc-token", x-title: "my program", cookie: "a=b" }';
    const provider = `type: openai, api_key: key, custom_headers: ${headers}`;
    expect(secretsOf(parsed(provider), {})).toEqual(['key', 'Bearer abc-token', 'abc-token', 'a=b']);
  });

  test('are in configured headers of any name whose value comes from a variable named like a credential', () => {
    const env = { TENANT_TOKEN: 'tenant-123', TITLE: 'my program', SHORT_KEY: 'program' };
    const provider =
      'type: openai, api_key: key, custom_headers: { x-title: "my program", x-tenant: "of tenant-123" }';
    expect(secretsOf(parsed(provider), env)).toEqual(['key', 'tenant-123']);
  });

  test('are in the options of a plugin’s type, and are masked when the configuration is shown', () => {
    const options =
      '{ region: eu, signing_key: abc-secret, nested: [{ token: [in-a-list] }], note: "of tenant-123" }';
    const text = `plugins: [a.ts]\nproviders: [{ name: one, type: acme, models: [m], options: ${options} }]\n`;
    const config = loadConfig({ path: 'config.yaml', text, env: {} }).config!;
    const env = { TENANT_TOKEN: 'tenant-123' };
    expect(secretsOf(config, env)).toEqual(['abc-secret', 'in-a-list', 'tenant-123']);
    expect(masked(config).providers[0]!.options).toEqual({
      region: 'eu',
      signing_key: '[masked]',
      nested: [{ token: ['[masked]'] }],
      note: 'of tenant-123',
    });
  });

  test('are in the fields set in every request, and are masked when the configuration is shown', () => {
    const set = `{ api_key: first-secret, auth.session_token: second-secret, max_tokens: 500,
      prompt_cache_key: team-one, eos_token: "<|im_end|>", extra: { password: third-secret, note: "of tenant-123" } }`;
    const model = '{ name: m, request: { set: { metadata.client_secret: fourth-secret, user: team-one } } }';
    const config = parsed(`type: openai, api_key: key, request: { set: ${set} }, models: [plain, ${model}]`);
    expect(secretsOf(config, { TENANT_TOKEN: 'tenant-123' })).toEqual([
      'key',
      'first-secret',
      'second-secret',
      'third-secret',
      'tenant-123',
      'fourth-secret',
    ]);
    const [{ request, models }] = masked(config).providers as [ProviderConfig];
    expect(request!.set).toEqual({
      api_key: '[masked]',
      'auth.session_token': '[masked]',
      max_tokens: 500,
      prompt_cache_key: 'team-one',
      eos_token: '<|im_end|>',
      extra: { password: '[masked]', note: 'of tenant-123' },
    });
    expect(JSON.stringify(models)).not.toContain('fourth-secret');
    expect(JSON.stringify(models)).toContain('team-one');
  });

  test('are the passwords of HTTP proxies, encoded, decoded and as sent', () => {
    const env = {
      HTTPS_PROXY: 'http://user:p%40ss-word@proxy:3128',
      HTTP_PROXY: 'http://token-alone@proxy:3128',
      ALL_PROXY: 'http://proxy:3128',
      http_proxy: 'no address',
      https_proxy: 'http://user:100%-good@proxy',
    };
    expect(secretsOf(parsed('type: mock'), env)).toEqual([
      'p%40ss-word',
      'p@ss-word',
      Buffer.from('user:p@ss-word').toString('base64'),
      '100%-good',
      Buffer.from('user:100%-good').toString('base64'),
      'token-alone',
      Buffer.from('token-alone:').toString('base64'),
    ]);
  });

  test('are the keys for reading logs', () => {
    const env = {
      AWS_SECRET_ACCESS_KEY: 'signing',
      S3_SECRET_ACCESS_KEY: 'other',
      S3_SESSION_TOKEN: 'session',
    };
    expect(secretsOf(parsed('type: mock'), env)).toEqual(['signing', 'other', 'session']);
  });

  test('are never empty, which would match everywhere', () => {
    expect(secretsOf(parsed('type: bedrock, region: us-east-1'), { AWS_SESSION_TOKEN: '' })).toEqual([]);
  });
});

describe('A provider after a reload', () => {
  const here = parsed('type: bedrock, region: us-east-1');

  test('is the same service if only its key changes', () => {
    const other = parsed('type: bedrock, region: us-east-1, api_key: other');
    expect([...sameServices(here, other)]).toEqual(['one']);
  });

  test('is a different service in another region', () => {
    expect(sameServices(here, parsed('type: bedrock, region: eu-west-1')).size).toBe(0);
  });
});
