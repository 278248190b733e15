/** Likely mistakes in a valid configuration: each is a warning that says what to write instead. */
import { describe, expect, test } from 'bun:test';
import { ignoredKeys } from '../../src/config/ignored-keys.ts';
import { configJsonSchema, knownKeys } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { PRESETS, PROVIDER_TYPES } from '../../src/config/presets.ts';
import { formatProblems } from '../../src/cli/problems-text.ts';

const ENV = { OR: 'sk-or-v1-0123456789', OPENAI_API_KEY: 'sk-proj-0123456789' };

function load(provider: object, more: object = {}, env: Record<string, string> = ENV) {
  const text = JSON.stringify({ providers: [{ name: 'p', ...provider }], ...more }, null, 1);
  return loadConfig({ path: 'config.yaml', text, env });
}

/** The warnings, without those of providers that have no key. */
function warned(provider: object, more: object = {}): string[] {
  const { config, problems } = load(provider, more);
  expect(config).toBeDefined();
  return problems
    .filter(({ message }) => !message.includes('is off'))
    .map(({ path, message, hint }) => `${path}: ${message}; ${hint}`);
}

describe('a key', () => {
  test.each([
    ['os.environ/OR', 'OR'],
    ['env.OR', 'OR'],
    ['env:OR', 'OR'],
    ['$OPENAI_API_KEY', 'OPENAI_API_KEY'],
    ['{{ secrets.OR }}', 'OR'],
    ['%OPENAI_API_KEY%', 'OPENAI_API_KEY'],
  ])('written as %s is another program’s way to name a variable', (written, name) => {
    const way = "is used literally: this is another program's notation for a variable";
    expect(warned({ type: 'openai', api_key: written })).toEqual([
      `providers[0].api_key: \`api_key\` ${way}; write \`api_key_env: ${name}\`, or \`\${${name}}\``,
    ]);
    expect(warned({ type: 'openai', api_keys: ['sk-1', written] })[0]).toStartWith(
      'providers[0].api_keys[1]',
    );
    const header = { type: 'openai', custom_headers: { 'x-key': `Bearer ${written}` } };
    expect(warned(header)[0]).toContain(`write \`\${${name}}\``);
    const auth = { keys: [{ name: 'a', key: `os.environ/${name}` }] };
    expect(warned({ type: 'mock' }, { auth })[0]).toContain(`write \`key_env: ${name}\``);
    expect(warned({ type: 'openai', api_key_env: written })[0]).toContain(`write \`api_key_env: ${name}\``);
  });

  test.each(['YOUR_API_KEY', 'your-openai-key', '<key>', 'sk-...', 'sk-xxxxxxxx', 'changeme'])(
    'that is %s is an example’s',
    (written) => {
      expect(warned({ type: 'openai', api_key: written })[0]).toContain(
        'a placeholder from an example, not a key',
      );
    },
  );

  test.each([
    ['sk-ant-api03-x', 'openai', 'Anthropic', 'anthropic'],
    ['sk-or-v1-x', 'anthropic', 'OpenRouter', 'openrouter'],
    ['sk-proj-x', 'deepseek', 'OpenAI', 'openai'],
    ['gsk_x', 'xai', 'Groq', 'groq'],
    ['xai-x', 'groq', 'xAI', 'xai'],
    ['AIzaX', 'mistral', 'Google', 'gemini'],
    ['pplx-x', 'openai', 'Perplexity', 'perplexity'],
  ])('that begins like %s at %s looks like one of %s', (key, type, vendor, meant) => {
    const [warning] = warned({ type, api_key: key });
    expect(warning).toContain(`looks like one of ${vendor}`);
    expect(warning).toContain(`write \`type: ${meant}\``);
  });

  test('from the environment is named by its variable', () => {
    expect(warned({ type: 'anthropic', api_key_env: 'OR' })[0]).toContain(
      '(OR) looks like one of OpenRouter',
    );
  });

  test.each([
    [{ type: 'openai', api_key: 'sk-0123456789' }],
    [{ type: 'deepseek', api_key: 'sk-0123456789' }],
    [{ type: 'grok', api_key: 'xai-x' }],
    [{ type: 'vertex', api_key: 'AIzaX', project: 'p' }],
    [{ type: 'openai-compatible', base_url: 'https://llm.example/v1', api_key: 'gsk_x', models: ['*'] }],
    [{ type: 'openai', base_url: 'https://gateway.example/v1', api_key: 'sk-or-x' }],
    [{ type: 'openai', api_key: '$ecretWord' }],
  ])('that may be right is not warned of: %j', (provider) => {
    expect(warned(provider)).toEqual([]);
  });

  test('in place of the name of a variable is never shown', () => {
    for (const key of ['sk-0123456789abc', 'gsk_0123456789abc', 'hf_0123456789abc', 'AIza0123456789abc']) {
      const { problems } = load({ type: 'openai', api_key_env: key });
      const shown = formatProblems(problems, { path: 'config.yaml', color: false });
      expect(shown).toContain('takes the name of a variable, and this looks like a key');
      expect(shown).not.toContain(key);
    }
  });
});

describe('base_url', () => {
  const at = (type: string, base_url: string, more: object = {}) =>
    warned({ type, base_url, models: ['*'], api_key: 'k', ...more }).map((text) => text.split('write ')[1]);

  test.each([
    ['openai', 'https://api.openai.com', 'https://api.openai.com/v1'],
    ['openai', 'https://api.openai.com/v1/chat/completions', 'https://api.openai.com/v1'],
    ['openai', 'https://gateway.example/v1/v1', 'https://gateway.example/v1'],
    ['anthropic', 'https://api.anthropic.com/v1/messages', 'https://api.anthropic.com/v1'],
    ['groq', 'https://api.groq.com/v1', undefined],
    ['groq', 'https://api.groq.com', 'https://api.groq.com/openai/v1'],
    [
      'gemini',
      'https://generativelanguage.googleapis.com',
      'https://generativelanguage.googleapis.com/v1beta',
    ],
    ['cohere', 'https://api.cohere.com/v2', 'https://api.cohere.com'],
    ['ollama', 'http://box:11434', 'http://box:11434/v1'],
    ['ollama', 'http://box:11434/api/chat', 'http://box:11434/v1'],
    ['vllm', 'http://gpu:9000/', 'http://gpu:9000/v1'],
    ['openai-compatible', 'http://localhost:11434', 'http://localhost:11434/v1'],
    ['openai-compatible', 'https://openrouter.ai', 'https://openrouter.ai/api/v1'],
    ['azure', 'https://x.openai.azure.com', 'https://x.openai.azure.com/openai/v1'],
  ])('of %s that is %s', (type, url, meant) => {
    expect(at(type, url)).toEqual(meant === undefined ? [] : [`\`base_url: ${meant}\``]);
  });

  test('for Azure with deployments has no path', () => {
    const more = { api_version: '2024-10-21' };
    expect(at('azure', 'https://x.openai.azure.com/openai/v1', more)).toEqual([
      '`base_url: https://x.openai.azure.com`',
    ]);
    expect(at('azure', 'https://x.openai.azure.com', more)).toEqual([]);
  });

  test('that may be correct causes no warning', () => {
    for (const type of PROVIDER_TYPES) {
      const preset = PRESETS[type];
      if ('baseUrl' in preset)
        expect([type, ...at(type, preset.baseUrl), ...at(type, `${preset.baseUrl}/`)]).toEqual([type]);
    }
    for (const [type, url] of [
      ['anthropic', 'https://api.anthropic.com/v1'],
      ['deepseek', 'https://api.deepseek.com/v1'],
      ['openai', 'https://gateway.example'],
      ['openai-compatible', 'http://127.0.0.1:4000'],
      ['openai-compatible', 'https://api.deepseek.com'],
      ['ollama', 'https://gateway.example/ollama/v1'],
    ] as const)
      expect([type, ...at(type, url)]).toEqual([type]);
  });
});

describe('ignoredKeys()', () => {
  const ignored = (providers: object[], env: Record<string, string>) => {
    const text = JSON.stringify({ providers });
    return ignoredKeys(loadConfig({ path: 'config.yaml', text, env }).config!, env);
  };

  test('names keys that no provider uses, with the line that would use them', () => {
    const env = { OPENAI_API_KEY: 'sk-1', GEMINI_API_KEY: 'g', AZURE_OPENAI_API_KEY: 'a', HOME: '/' };
    expect(ignored([{ name: 'mock', type: 'mock' }], env)).toEqual([
      {
        variable: 'OPENAI_API_KEY',
        type: 'openai',
        line: '- { name: openai, type: openai, api_key_env: OPENAI_API_KEY }',
      },
      {
        variable: 'GEMINI_API_KEY',
        type: 'gemini',
        line: '- { name: gemini, type: gemini, api_key_env: GEMINI_API_KEY }',
      },
      {
        variable: 'AZURE_OPENAI_API_KEY',
        type: 'azure',
        line: '- { name: azure, type: azure, api_key_env: AZURE_OPENAI_API_KEY, base_url: ..., models: ["*"] }',
      },
    ]);
  });

  test('does not name keys that are used, nor vendors that are configured otherwise', () => {
    const env = { XAI_API_KEY: 'x', MISTRAL_API_KEY: 'm', OPENAI_API_KEY: 'sk-1' };
    const providers = [
      { name: 'x', type: 'grok' },
      { name: 'm', type: 'mistral', enabled: false },
      {
        name: 'o',
        type: 'openai-compatible',
        base_url: 'https://llm.example/v1',
        api_key: 'sk-1',
        models: ['*'],
      },
    ];
    expect(ignored(providers, env)).toEqual([]);
  });
});

describe('a list', () => {
  const KEY = { name: 'a', key: 'plum-secret' };
  const listed = (more: object, key: object = {}) =>
    warned(
      { type: 'openai', models: ['gpt-4*', { name: 'small', upstream: 'gpt-3.5-turbo' }] },
      {
        models: { fast: 'p/gpt-4o-mini', 'old-*': 'p/gpt-4o' },
        ...more,
        auth: { keys: [{ ...KEY, ...key }] },
      },
    );

  test('of models may name models, aliases, globs, and targets by their provider', () => {
    const models = [
      'gpt-4o',
      'gpt-4*',
      'p/*',
      'p/gpt-4o',
      'fast',
      'old-timer',
      'o*',
      '*',
      'small',
      'p/gpt-3.5-*',
    ];
    const limits = [{ requests: 1, per: 'day', models: [...models, 'gpt-3.5-turbo', '[gp]pt-4?'] }];
    const providers = ['p', '*', 'p*', '{p,q}'];
    expect(listed({ groups: { g: { models, limits, providers } }, rate_limits: limits }, { models })).toEqual(
      [],
    );
  });

  test('whose entry matches no model says so, with the one that was meant', () => {
    const models = ['gpt-4o', 'gtp-4*', 'claude-*', 'q/gpt-4o'];
    const limits = [{ requests: 1, per: 'day', models: ['fsat'] }];
    const none = 'no provider, alias or route has a model';
    expect(
      listed({ groups: { g: { models, each_user: limits } }, rate_limits: limits }, { models: ['GPT-4o'] }),
    ).toEqual([
      `groups.g.models[1]: ${none} \`gtp-4*\`; did you mean \`gpt-4*\`?`,
      `groups.g.models[2]: ${none} \`claude-*\`; undefined`,
      `groups.g.models[3]: ${none} \`q/gpt-4o\`; did you mean \`p/gpt-4*\`?`,
      `groups.g.each_user[0].models[0]: ${none} \`fsat\`; did you mean \`fast\`?`,
      `rate_limits[0].models[0]: ${none} \`fsat\`; did you mean \`fast\`?`,
      `auth.keys[0].models[0]: ${none} \`GPT-4o\`; did you mean \`gpt-4*\`?`,
    ]);
    // The models behind a plugin or a wildcard are unknown.
    expect(warned({ type: 'openai', models: ['*'] }, { groups: { g: { models } } })).toEqual([]);
  });

  test('of a limit may spell a model in any case, as limits do', () => {
    const limits = [{ requests: 1, per: 'day', models: ['GPT-4o', 'P/GPT-4*', ' fast ', 'gpt-*'] }];
    expect(listed({ groups: { g: { limits, each_user: limits } }, rate_limits: limits })).toEqual([]);
    const unusual = { type: 'openai', models: ['GPT-4o'] };
    expect(warned(unusual, { rate_limits: [{ requests: 1, per: 'day', models: ['gpt-4o'] }] })).toEqual([]);
  });

  test('of providers names those that exist', () => {
    expect(listed({ groups: { g: { providers: ['p', 'P', 'azure-*'] } } }, { providers: ['opnai'] })).toEqual(
      [
        'groups.g.providers[1]: there is no provider `P`; did you mean `p`?',
        'groups.g.providers[2]: there is no provider `azure-*`; undefined',
        'auth.keys[0].providers[0]: there is no provider `opnai`; undefined',
      ],
    );
    const prices = [{ model: '*', provider: 'q', input: 1, output: 1 }];
    expect(listed({ prices })).toEqual(['prices[0].provider: there is no provider `q`; did you mean `p`?']);
  });

  test('takes nothing out by an exclamation mark', () => {
    const groups = {
      g: { models: ['gpt-4*', '!gpt-4o'], endpoints: ['chat', '!messages'] },
      h: { models: ['!fast'] },
    };
    expect(listed({ groups })).toEqual([
      'groups.g.models[1]: `!gpt-4o` takes nothing out of a list: it adds everything but gpt-4o; list what is meant, without `!gpt-4o`: gpt-4*',
      'groups.g.endpoints[1]: `!messages` takes nothing out of a list: it adds everything but messages; list what is meant, without `!messages`: chat',
    ]);
  });

  test('that leaves nothing beside the lists of its group says so', () => {
    const groups = { g: { endpoints: ['chat', 'embeddings'] }, h: { parent: 'g', endpoints: ['messages'] } };
    const none = 'no endpoint is in all lists of this key and its groups: it may use none; undefined';
    expect(listed({ groups }, { group: 'g', endpoints: ['images.*'] })).toEqual([
      `auth.keys[0].endpoints: ${none}`,
    ]);
    expect(listed({ groups }, { group: 'h' })).toEqual([`auth.keys[0].group: ${none}`]);
    for (const rest of [{ endpoints: [] }, { endpoints: ['chat', 'rerank'] }, { endpoints: ['*'] }])
      expect(listed({ groups }, { group: 'g', ...rest })).toEqual([]);
    const limits = [{ requests: 1, per: 'day', endpoints: ['images.*'] }];
    const never =
      'this limit never applies: no endpoint is in this list and in those of its keys and groups; undefined';
    const inGroup = { g: { endpoints: ['chat'], each_key: limits } };
    expect(listed({ groups: inGroup }, { group: 'g', limits })).toEqual([
      `groups.g.each_key[0].endpoints: ${never}`,
      `auth.keys[0].limits[0].endpoints: ${never}`,
    ]);
  });

  test.each(['passthrough*', 'pass*', '{chat,passthrough}', '?assthrough'])(
    'does not allow passthrough by %s',
    (entry) => {
      const auth = { keys: [{ ...KEY, endpoints: [entry] }] };
      const { config, problems } = load(
        { type: 'mock' },
        { groups: { g: { endpoints: ['chat', entry] } }, auth },
      );
      expect(config).toBeUndefined();
      const message = `\`${entry}\` does not allow passthrough, which must be spelled out`;
      const hint = 'write `passthrough` as an entry of its own';
      expect(problems.map((problem) => [problem.path, problem.message, problem.hint])).toEqual([
        ['groups.g.endpoints[1]', message, hint],
        ['auth.keys[0].endpoints[0]', message, hint],
      ]);
    },
  );
});

test('what serve refuses is reported with its position, and is no error as long as flags may correct it', () => {
  const { config, problems, unserved } = load({ type: 'mock' }, { server: { host: '0.0.0.0' } });
  expect([config !== undefined, problems]).toEqual([true, []]);
  expect(unserved).toMatchObject([
    { path: 'server.host', message: expect.stringContaining('Cannot listen on 0.0.0.0') },
  ]);
  expect(load({ type: 'mock' }, { server: { host: '0.0.0.0' }, auth: 'none' }).unserved).toEqual([]);
});

test('the keys to suggest are collected once, not for each unknown key', () => {
  const tookMs = (count: number, work: () => unknown) => {
    const beganMs = performance.now();
    for (let at = 0; at < count; at += 1) work();
    return performance.now() - beganMs;
  };
  const suggest = () => knownKeys(['providers', 0]);
  expect(suggest()).toContain('base_url');
  configJsonSchema();
  expect(tookMs(40, suggest)).toBeLessThan(tookMs(10, configJsonSchema));
});
