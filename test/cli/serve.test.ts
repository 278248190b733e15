import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, folder, run, serveWith } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** What serve writes to stderr until it is stopped. */
async function said(config?: object, more: Record<string, string> = {}): Promise<string> {
  const cwd = folder();
  writeFileSync(join(cwd, 'file'), '');
  if (config !== undefined) writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  const { process: child, url } = await serveWith(cwd, more);
  await fetch(`${url}/health`);
  child.kill('SIGTERM');
  return await child.stderr.text();
}

const MOCK = { providers: [{ name: 'mock', type: 'mock' }] };

describe('llmproxy serve says', () => {
  test.concurrent('what to do without a configuration and without keys', async () => {
    const text = await said();
    expect(text).toContain('mock      mock  on     always there');
    expect(text).toContain(
      "\nNo provider's key is in the environment: set one, for example OPENAI_API_KEY, or run llmproxy config init\n",
    );
    expect(text).toContain('\nRequest log: logs, content full\n');
    expect(await said(MOCK)).not.toContain('key');
    expect(text).toMatch(/^Models: 1 by name at GET \/v1\/models\nPage: http:\S+\/$/m);
  });

  test.concurrent('that a key in the environment is not used, and the line that would use it', async () => {
    const text = await said(MOCK, { OPENAI_API_KEY: 'sk-proj-0123456789' });
    expect(text).toContain(
      'warning: OPENAI_API_KEY is set, but no provider in config.yaml uses it. Add to `providers`:\n' +
        '  - { name: openai, type: openai, api_key_env: OPENAI_API_KEY }\n',
    );
    expect(text).not.toContain('0123456789');
  });

  test.concurrent('where requests are logged and how much of them, and nothing if they are not', async () => {
    const requests = { directory: 'elsewhere', content: 'metadata' };
    expect(await said({ ...MOCK, logging: { requests } })).toContain(
      '\nRequest log: elsewhere, content metadata\n',
    );
    expect(await said({ ...MOCK, logging: { requests: { enabled: false } } })).not.toContain('log');
  });

  test.concurrent('that the directory of the request log is a file', async () => {
    const text = await said({ ...MOCK, logging: { requests: { directory: 'file' } } });
    expect(text).toContain(
      'warning: Cannot use file as the directory of the request log (logging.requests.directory): it is a file\n',
    );
    expect(text).not.toContain('Request log: ');
    // As far as that is known at the start, any directory that cannot be written is reported.
    const below = await said({ ...MOCK, logging: { requests: { directory: 'file/logs' } } });
    expect(below).toMatch(/Cannot use file\/logs as the directory .*: \S+\/file is a file\n/);
  });

  test.concurrent('why each disabled provider is disabled', async () => {
    const text = await said({
      providers: [
        ...MOCK.providers,
        { name: 'keyless', type: 'gemini' },
        { name: 'named', type: 'openai', api_key_env: 'MY_KEY' },
        { name: 'unwanted', type: 'openai', api_key: 'sk-test', enabled: false },
      ],
    });
    expect(text).toMatch(/^keyless +gemini +off +no key: set GEMINI_API_KEY or GOOGLE_API_KEY$/m);
    expect(text).toMatch(/^named +openai +off +no key: set MY_KEY$/m);
    expect(text).toMatch(/^unwanted +openai +off +not enabled$/m);
  });
});

describe('files that cannot be read', () => {
  test.each([
    [['config', 'validate', 'nope.yaml'], 'nope.yaml'],
    [['serve', '--config', 'nope.yaml'], 'nope.yaml'],
    [['explain', '--config', 'nope.yaml', '--model', 'x'], 'nope.yaml'],
    [['explain', '--request', 'nope.json'], 'nope.json'],
    [['export', '--config', 'nope.yaml'], 'nope.yaml'],
    [['health', '--env-file', 'nope.env'], 'nope.env'],
  ])('%j', (args, name) => {
    const { code, err } = run(folder(), ...args);
    expect([code, err]).toEqual([1, `Cannot read ${name}: no such file or directory\n`]);
  });

  test('a directory in place of a file', () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'd'));
    expect(run(cwd, 'config', 'validate', 'd').err).toBe('Cannot read d: it is a directory\n');
  });
});

// On other systems, the environment of a process cannot be read.
describe.if(process.platform === 'linux')('llmproxy serve runs', () => {
  /** The environment with which its process was started. */
  async function environment(more: Record<string, string>): Promise<readonly string[]> {
    const { process: child } = await serveWith(folder(), more);
    const variables = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0');
    child.kill('SIGTERM');
    await child.exited;
    return variables;
  }

  test.concurrent("with Bun's settings for a server", async () => {
    const variables = await environment({});
    expect(variables).toContain('BUN_CONFIG_MAX_HTTP_REQUESTS=65535');
    expect(variables).toContain('MIMALLOC_PURGE_DELAY=1000');
  });

  test.concurrent('with the settings that are already set', async () => {
    const variables = await environment({ MIMALLOC_PURGE_DELAY: '5' });
    expect(variables).toContain('BUN_CONFIG_MAX_HTTP_REQUESTS=65535');
    expect(variables).toContain('MIMALLOC_PURGE_DELAY=5');
  });
});
