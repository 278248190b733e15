import { expect, test } from 'bun:test';
import { discoverConfig } from '../../src/config/discover.ts';
import { loadConfig } from '../../src/config/load.ts';
import { shownSource } from '../../src/config/problems.ts';
import { masked } from '../../src/config/mask.ts';
import { formatProblems } from '../../src/cli/problems-text.ts';
import { ConfigManager } from '../../src/config/manager.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MOCK = 'providers: [{ name: mock, type: mock }]\n';

const load = (text: string, env: Record<string, string> = {}) =>
  loadConfig({ path: 'config.yaml', text, env });

function shown(text: string, env: Record<string, string> = {}): string {
  return formatProblems(load(text, env).problems, { path: 'config.yaml', color: false });
}

/** Invalid configurations, with the position of the error and its message. */
const GALLERY: readonly (readonly [string, string, string, ...string[]])[] = [
  [
    'an unknown key',
    'providers:\n  - name: a\n    type: mock\n    tiemout: 30s\n',
    '4:5',
    'unknown key `tiemout` in providers[0]',
    'did you mean `timeout`?',
    '    ^^^^^^^',
  ],
  [
    'a synonym',
    'providers:\n  - name: a\n    type: mock\n    url: http://x\n',
    '4:5',
    'did you mean `base_url`?',
  ],
  [
    'a star in a target whose name has no single one',
    `${MOCK}models: { "m-?": mock/* }\n`,
    '2:18',
    'does not have exactly one wildcard',
  ],
  [
    'a target that only the glob itself covers',
    `${MOCK}models: { "claude-*": claude-x }\n`,
    '2:23',
    'no provider or alias serves `claude-x`',
  ],
  ['an unknown top-level key', `${MOCK}logs: {}\n`, '2:1', 'unknown key `logs`'],
  ['an unknown key within a union', `${MOCK}auth: { keyz: [] }\n`, '2:9', 'did you mean `keys`?'],
  [
    'a wrong type name',
    'providers: [{ name: a, type: opnai }]\n',
    '1:30',
    'did you mean `openai`?',
    'found `opnai`',
  ],
  ['a missing key', 'providers: [{ type: mock }]\n', '1:13', 'needs `name`'],
  ['no providers', 'server: { port: 1 }\n', '1:1', 'needs `providers`'],
  ['a bad duration', `${MOCK}server: { drain_timeout: 5 minutes }\n`, '2:26', 'expected a duration'],
  ['a bad size', `${MOCK}limits: { max_body: lots }\n`, '2:21', 'expected a size'],
  ['a bad port', `${MOCK}server: { port: 70000 }\n`, '2:17', '65535'],
  ['a bad URL', 'providers: [{ name: a, type: openai, base_url: ftp://x }]\n', '1:48', 'http:// or https://'],
  [
    'a URL with credentials',
    'providers: [{ name: a, type: ollama, models: ["*"], base_url: "http://u:p@h" }]\n',
    '1:63',
    'must not hold credentials',
  ],
  [
    'two providers of one name',
    'providers:\n  - { name: a, type: mock }\n  - { name: a, type: mock }\n',
    '3:13',
    'exists already',
  ],
  ['an empty key', 'providers: [{ name: a, type: openai, api_key: "" }]\n', '1:47', 'api_key'],
  [
    'an unset variable',
    'providers: [{ name: a, type: openai, api_key: "${NOPE}" }]\n',
    '1:47',
    'NOPE is not set',
  ],
  [
    'a broken reference',
    'server: { host: "${bad-name}" }\nproviders: [{ name: m, type: mock }]\n',
    '1:17',
    '${VAR:-default}',
  ],
  [
    'no address',
    'providers: [{ name: a, type: azure, api_key: k123456, models: [x] }]\n',
    '1:13',
    'needs `base_url`',
  ],
  ['no models', 'providers: [{ name: a, type: ollama }]\n', '1:13', 'needs `models`'],
  [
    'mock settings elsewhere',
    'providers: [{ name: a, type: openai, api_key: k123456, mock: {} }]\n',
    '1:56',
    'type mock',
  ],
  ['an alias to nowhere', `${MOCK}models: { fast: mok }\n`, '2:17', 'no provider or alias serves `mok`'],
  [
    'one client key by two names',
    `${MOCK}auth: { keys: [{ name: a, key: plum }, { name: b, hash: "sha256:${new Bun.CryptoHasher('sha256').update('plum').digest('hex')}" }] }\n`,
    '2:57',
    '`a` is the same key by another name',
  ],
  [
    'a name with a space',
    `${MOCK}groups: { "a b": {} }\n`,
    '2:11',
    '`a b` cannot be a name here: expected letters',
  ],
  [
    'an issuer without its audience',
    `${MOCK}auth: { issuers: [{ name: c, issuer: "https://x" }] }\n`,
    '2:19',
    'needs `audience`',
  ],
  [
    'a share as a number of percent',
    `${MOCK}rate_limits: [{ budget: 5, per: day, warn_at: 80 }]\n`,
    '2:47',
    'such as "80%"',
  ],
  [
    'two limits in one',
    `${MOCK}rate_limits: [{ requests: 5, tokens: 5, per: day }]\n`,
    '2:15',
    'write a limit for each',
  ],
  ['money with its sign', `${MOCK}rate_limits: [{ budget: $5, per: day }]\n`, '2:25', 'an amount of USD'],
  ['an alias cycle', `${MOCK}models:\n  a: b\n  b: c\n  c: a\n`, '3:3', 'alias cycle: a -> b -> c -> a'],
  ['a client key without a key', `${MOCK}auth: { keys: [{ name: a }] }\n`, '2:16', 'exactly one of'],
  [
    'two client keys of one name',
    `${MOCK}auth:\n  keys:\n    - { name: a, key: k1 }\n    - { name: a, key: k2 }\n`,
    '5:15',
    'exists already',
  ],
  [
    'a client key that is not set',
    `${MOCK}auth: { keys: [{ name: a, key_env: NOPE }] }\n`,
    '2:36',
    'not set',
  ],
  [
    'dates the wrong way round',
    `${MOCK}export: { start_date: 2026-02-01, end_date: 2026-01-01 }\n`,
    '2:45',
    'before',
  ],
  ['YAML that is none', 'providers: [\n', '1:12', 'never closed'],
  ['a key given twice', `${MOCK}limits: {}\nlimits: {}\n`, '3:1', 'is already on line 2'],
];

test.each(GALLERY)('%s is an error with its position', (_, text, place, ...words) => {
  const got = shown(text);
  expect(got).toContain(`config.yaml:${place} error:`);
  for (const word of words) expect(got).toContain(word);
  expect(load(text).config).toBeUndefined();
});

test('all errors of a file are reported at once, in its order', () => {
  const { problems } = load(
    'server: { prot: 1 }\nproviders:\n  - { name: a, type: mok }\n  - { nme: b, type: mock }\nroutng: {}\n',
  );
  expect(problems.map(({ line }) => line)).toEqual([1, 3, 4, 4, 5]);
});

test('a provider without its key is a warning and starts disabled', () => {
  const { config, problems } = load('providers: [{ name: a, type: openai }, { name: m, type: mock }]\n');
  expect(problems.map(({ severity, message }) => [severity, message])).toEqual([
    ['warning', expect.stringContaining('OPENAI_API_KEY')],
  ]);
  expect(config!.providers.map(({ enabled }) => enabled)).toEqual([false, true]);
});

test('a plain value that is one variable has a type, and variables can never become YAML', () => {
  const text =
    'server:\n  port: ${PORT:-9000}\n  host: "${HOST}"\nproviders: [{ name: a, type: openai, api_key: "${KEY}" }]\n';
  const { config } = load(text, { HOST: 'localhost', KEY: '123456' });
  expect([config!.server.port, config!.server.host, config!.providers[0]!.api_key]).toEqual([
    9000,
    'localhost',
    '123456',
  ]);
  const evil = load(text, { HOST: 'x, port: 1 }\nauth: none #', KEY: 'k12345' });
  expect([evil.config!.server.host, evil.config!.auth]).toEqual(['x, port: 1 }\nauth: none #', undefined]);
});

test('$${ stands for a literal ${', () => {
  const { config } = load('providers: [{ name: m, type: mock, custom_headers: { X-A: "$${b}" } }]\n');
  expect(config!.providers[0]!.custom_headers).toEqual({ 'X-A': '${b}' });
});

test('secrets appear neither in errors nor in the shown configuration', () => {
  const text =
    'providers:\n  - name: a\n    type: openai\n    api_key: sk-very-secret-1234\n    api_key_env: X\n    custom_headers: { Authorization: Basic-secret }\n';
  expect(shown(text)).not.toContain('sk-very-secret');
  const { config } = load(text.replace('    api_key_env: X\n', ''));
  expect(JSON.stringify(masked(config!))).not.toMatch(/very-secret|Basic-secret/);
});

test('durations and sizes are read as people write them', () => {
  const { config } = load(
    `${MOCK}server: { drain_timeout: 1.5 }\nhealth: { interval: 5m }\nlimits: { max_body: 1KiB }\n`,
  );
  expect([config!.server.drain_timeout, config!.health.interval, config!.limits.max_body]).toEqual([
    1500, 300_000, 1024,
  ]);
});

test('discoverConfig() uses the vendors whose keys are set, and says why', () => {
  const { config, found } = discoverConfig({ OPENAI_API_KEY: 'k', GROQ_API_KEY: '', ANTHROPIC_API_KEY: 'k' });
  expect(config.providers.map(({ type }) => type)).toEqual(['openai', 'anthropic', 'mock']);
  expect(found[0]!.reason).toBe('OPENAI_API_KEY is set');
});

test('ConfigManager keeps the old configuration if the new one is invalid, and applies a valid one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'llmproxy-config-'));
  try {
    const path = join(directory, 'config.yaml');
    writeFileSync(path, MOCK);
    const manager = new ConfigManager(path, {});
    manager.reload();
    const first = manager.current;
    expect(first?.server.port).toBe(8000);
    manager.reload();
    writeFileSync(path, 'providers: []\n');
    expect(manager.reload().config).toBeUndefined();
    expect(manager.current).toBe(first!);
    writeFileSync(path, `${MOCK}server: { port: 1234 }\n`);
    manager.reload();
    expect(manager.current?.server.port).toBe(1234);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each([
  ['  api_keyy: plum-one', '  api_keyy: [masked]'],
  [
    '  - {name: c, api_key: plum-one, custom_headers: {x-passw: "a, plum-two", x-t: b}, bad: 1}',
    '  - {name: c, api_key: [masked], custom_headers: {x-passw: [masked], x-t: b}, bad: 1}',
  ],
  ['  {x-auth: [plum-one, plum-two], x: 1}', '  {x-auth: [masked], x: 1}'],
  ['  base_url: "http://user:plum-one@host/v1"', '  base_url: "http://[masked]@host/v1"'],
  [
    '  {api_key: ${KEY}, api_key_env: MY_KEY, key_sha256: 0a1b}',
    '  {api_key: ${KEY}, api_key_env: MY_KEY, key_sha256: 0a1b}',
  ],
  [
    '  {each_key: [{ tokens: 200k, per: minute }], keys_file: keys.yaml, key: plum-one}',
    '  {each_key: [{ tokens: 200k, per: minute }], keys_file: keys.yaml, key: [masked]}',
  ],
  ['      - tokens: 5', '      - tokens: 5'],
  ['  keys: [{ name: x, key_env: CLIENT_KEY }]', '  keys: [{ name: x, key_env: CLIENT_KEY }]'],
  [
    '  keys: [{ name: x, key: plum-one }, { key: plum-two }]',
    '  keys: [{ name: x, key: [masked]}, { key: [masked]}]',
  ],
  ['  api_keys: [plum-one, { key: plum-two }]', '  api_keys: [masked]'],
  ['  secret: { plum-one', '  secret: [masked]'],
  ['  api_key: { value: plum-one }', '  api_key: [masked]'],
])('a message shows the line %p without secrets', (line, shown) => {
  expect(shownSource(line)).toBe(shown);
});
