import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDER_TYPES } from '../../src/config/presets.ts';
import { built, cleared, folder, run, runInTerminal } from '../helpers/binary.ts';

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
  test('shows where a request would go, what would be sent, and the consequences of failures', () => {
    const { code, out } = run(configured(), 'explain', '--model', 'smart');
    expect(code).toBe(0);
    expect(out).toContain('POST https://api.anthropic.com/v1/messages');
    expect(out).toContain('POST https://api.mistral.ai/v1/chat/completions');
    expect(out.indexOf('claude/claude-sonnet-4-5')).toBeLessThan(out.indexOf('mistral/mistral-large'));
    expect(out).toContain('x-api-key: [masked]');
    expect(out).toContain('x-auth: [masked]');
    expect(out).not.toMatch(/sk-secret|hush/);
    expect(out).toMatch(/timeout_first_byte +mistral\/mistral-large; counts for the breaker of the target/);
    expect(out).toMatch(/auth +mistral\/mistral-large; holds the key back/);
    expect(out).toMatch(/invalid_request +the provider's own error/);
    expect(out).toMatch(/overloaded +retried up to 2 times, then mistral\/mistral-large; counts/);
    expect(out).toMatch(
      /unreachable +mistral\/mistral-large, then retried up to 2 times if no other target is ready; counts/,
    );
    expect(out).not.toMatch(/ {2,}then |^ +[\w-]+: *$/m);
  });

  test('shows the consequences of failures of the only target, in order', () => {
    const { out } = run(configured(), 'explain', '--model', 'mistral/mistral-large');
    const ways = Object.fromEntries(
      [...out.matchAll(/^([a-z_]+) {2,}(.+)$/gm)].map(([, fault, leadsTo]) => [fault, leadsTo]),
    );
    expect(ways).toMatchObject({
      rate_limited:
        'retried up to 2 times, then the error (no other target); ' +
        'pauses the key for this model for 5 s, or as long as it asks',
      unreachable:
        'retried up to 2 times if no other target is ready, then the error; ' +
        'counts for the breaker of the provider',
      auth: 'the error (no other target); holds the key back',
      not_found: 'the error (no other target); holds this endpoint of the target back, at first for 5 s',
      declined: 'the error (no other target)',
      context_length: 'the error',
    });
  });

  test('shows which setting determined the targets of the name', () => {
    const cwd = folder();
    const models = { 'claude-*': 'mistral/mistral-large', big: 'mistral/mistral-large' };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ ...CONFIG, models }));
    const foundBy = (model: string) => {
      const { out } = run(cwd, 'explain', '--model', model, '--json');
      return (JSON.parse(out) as { matched_by: string }).matched_by;
    };
    expect(foundBy('claude-haiku-4-5')).toBe('the glob "claude-*" in models');
    expect(foundBy('big')).toBe('the name "big" in models');
    expect(foundBy('mistral/mistral-small')).toBe('the provider before its slash, mistral');
    expect(foundBy('mistral-small')).toBe('what the providers serve');
    expect(run(cwd, 'explain', '--model', 'big').out).toStartWith(
      'big at chat, matched by the name "big" in models:',
    );
  });

  test('counts a single retry in words', () => {
    const cwd = folder();
    const provider = { name: 'one', type: 'mistral', api_key: 'sk-secret-1', max_retries: 1 };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers: [provider] }));
    const { out } = run(cwd, 'explain', '--model', 'mistral-large');
    expect(out).toMatch(/^overloaded +retried once, then the error/m);
  });

  test('shows what is replaced in a request before it is sent', () => {
    const cwd = folder();
    const [mistral] = CONFIG.providers;
    const redact = { out: ['email'], patterns: ['ticket=TCK-\\d+'] };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers: [{ ...mistral, redact }] }));
    const messages = [{ role: 'user', content: 'ann@corp.example.com, TCK-7' }];
    writeFileSync(join(cwd, 'body.json'), JSON.stringify({ model: 'mistral-large', messages }));
    const { out } = run(cwd, 'explain', '--request', 'body.json');
    expect(out).toContain('redacted before it is sent: email, ticket');
    expect(out).toContain('"content": "[EMAIL_1], [TICKET_1]"');
    expect(out).not.toContain('ann@');
  });

  test('shows a given request as each target would get it', () => {
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
    [[], 2, 'Cannot explain a request: name its MODEL, or give it with --request FILE'],
    [['--model', ''], 1, '"model" must name a model'],
    [['--model', 'smart', '--endpoint', 'chats'], 2, 'Cannot use --endpoint chats'],
    [['--request', 'none.json'], 1, 'Cannot read none.json'],
  ])('%p ends with a word about it', (args, code, message) => {
    const said = run(configured(), 'explain', ...args);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toContain(message);
  });
});

test.each([60, 80])('llmproxy explain fits into %d columns', async (columns) => {
  const shown = await runInTerminal(columns, 'explain', 'mock');
  expect(shown.split('\n').filter((line) => line.length > columns)).toEqual([]);
  expect(shown).toMatch(/^rate_limited +\S/m);
});

describe('llmproxy providers', () => {
  test('lists every type', () => {
    const { code, out } = run(folder(), 'providers');
    expect(code).toBe(0);
    for (const type of PROVIDER_TYPES) expect(out).toMatch(new RegExp(`^${type} `, 'm'));
  });

  test.each([80, 120])('cuts nothing and breaks no key variable at %d columns', async (columns) => {
    const shown = await runInTerminal(columns, 'providers');
    expect(shown.split('\n').filter((line) => line.length > columns)).toEqual([]);
    const wide = run(folder(), 'providers').out;
    const variables = wide.match(/[A-Z]+_[A-Z_]+/g)!;
    expect(shown.match(/[A-Z]+_[A-Z_]+/g)!.toSorted()).toEqual(variables.toSorted());
    expect(shown).not.toMatch(/\.\.\.$|\.\.\. /m);
    expect(shown).toContain('/models?pageSize=1');
  });

  test('shows all details of one', () => {
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
