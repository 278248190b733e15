import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDER_TYPES } from '../../src/config/presets.ts';
import { built, cleared, folder, run } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const CONFIG = {
  providers: [
    { name: 'mistral', type: 'mistral', api_key: 'sk-secret-1' },
    {
      name: 'claude',
      type: 'anthropic',
      api_key: 'sk-secret-2',
      priority: 2,
      custom_headers: { 'x-auth': 'hush' },
    },
  ],
  models: { smart: ['claude/claude-sonnet-4-5', 'mistral/mistral-large'] },
};

function configured(): string {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(CONFIG));
  return cwd;
}

describe('llmproxy explain', () => {
  test('says where a request would go, what it would be sent, and what failures lead to', () => {
    const { code, out } = run(configured(), 'explain', '--model', 'smart');
    expect(code).toBe(0);
    expect(out).toContain('POST https://api.anthropic.com/v1/messages');
    expect(out).toContain('POST https://api.mistral.ai/v1/chat/completions');
    expect(out.indexOf('claude/claude-sonnet-4-5')).toBeLessThan(out.indexOf('mistral/mistral-large'));
    expect(out).toContain('x-api-key: [masked]');
    expect(out).toContain('x-auth: [masked]');
    expect(out).not.toMatch(/sk-secret|hush/);
    expect(out).toMatch(
      /timeout_first_byte +then mistral\/mistral-large; counts for the breaker of the target/,
    );
    expect(out).toMatch(/auth +then mistral\/mistral-large; holds the key back/);
    expect(out).toMatch(/invalid_request +the provider's own error/);
  });

  test('shows a request of one’s own as each target gets it', () => {
    const cwd = configured();
    const request = {
      model: 'smart',
      max_tokens: 9,
      top_k: 4,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] },
      ],
    };
    writeFileSync(join(cwd, 'request.json'), JSON.stringify(request));
    const { code, out } = run(
      cwd,
      'explain',
      '--request',
      'request.json',
      '--endpoint',
      'messages',
      '--json',
    );
    expect(code).toBe(0);
    const { targets } = JSON.parse(out);
    expect(targets).toMatchObject([
      {
        target: 'claude/claude-sonnet-4-5',
        lane: 'relay',
        dropped: [],
        body: { ...request, model: 'claude-sonnet-4-5' },
      },
      {
        target: 'mistral/mistral-large',
        lane: 'translate',
        dropped: ['top_k'],
        body: {
          model: 'mistral-large',
          messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
        },
      },
    ]);
  });

  test.each([
    [['--model', 'nothing'], 1, 'Cannot find model "nothing"'],
    [[], 1, '"model" must name a model'],
    [['--model', 'smart', '--endpoint', 'chats'], 2, 'Cannot use --endpoint chats'],
    [['--request', 'none.json'], 1, 'Cannot read none.json'],
  ])('%p ends with a word about it', (args, code, message) => {
    const said = run(configured(), 'explain', ...args);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toContain(message);
  });
});

describe('llmproxy providers', () => {
  test('lists every type', () => {
    const { code, out } = run(folder(), 'providers');
    expect(code).toBe(0);
    for (const type of PROVIDER_TYPES) expect(out).toMatch(new RegExp(`^${type} `, 'm'));
  });

  test('shows all of one', () => {
    const { out } = run(folder(), 'providers', 'bedrock');
    expect(out).toMatch(/^protocol +Bedrock Converse$/m);
    expect(out).toMatch(/^left out +.*seed/m);
    expect(JSON.parse(run(folder(), 'providers', 'gemini', '--json').out)).toMatchObject([
      { probe: '/models?pageSize=1' },
    ]);
    const unknown = run(folder(), 'providers', 'gemni');
    expect([unknown.code, unknown.err]).toEqual([
      2,
      'Cannot show gemni: there is no such type of provider\n',
    ]);
  });
});
