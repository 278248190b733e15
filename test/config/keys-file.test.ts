import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthConfig } from '../../src/config/schema/auth.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigManager, loadText } from '../../src/config/manager.ts';
import { formatProblems } from '../../src/cli/problems-text.ts';

const HASH = `sha256:${'0'.repeat(64)}`;
const OTHER = `sha256:${'1'.repeat(64)}`;
const CONFIG = `providers: [{ name: mock, type: mock }]
groups: { acme: {} }
auth:
  keys: [{ name: alice, hash: "${OTHER}" }]
  keys_file: keys.yaml
`;

const load = (keys: string | undefined, text = CONFIG) =>
  loadConfig({
    path: '/etc/llmproxy/config.yaml',
    text,
    env: {},
    readKeys: (path) => (path === '/etc/llmproxy/keys.yaml' ? keys : undefined),
  });

const shown = (keys: string) =>
  formatProblems(load(keys).problems, { path: '/etc/llmproxy/config.yaml', color: false });

const authOf = ({ config }: { config: { auth?: AuthConfig } | undefined }) =>
  config!.auth as Exclude<AuthConfig, 'none' | undefined>;

test('loadConfig() joins the keys of the keys file to those of the configuration', () => {
  const result = load(`keys:
  - { name: bob, hash: "${HASH}", group: acme, prefix: sk-llmproxy-abcd, labels: { team: search } }
raises:
  - { key: bob, kind: budget, by: 20, until: 2027-01-31 }
`);
  expect(result.problems).toEqual([]);
  const auth = authOf(result);
  expect(auth.keys.map(({ name, group }) => [name, group])).toEqual([
    ['alice', undefined],
    ['bob', 'acme'],
  ]);
  expect(auth.raises).toEqual([{ key: 'bob', kind: 'budget', by: 20, until: Date.parse('2027-02-01') }]);
});

test('loadConfig() treats a missing keys file as empty, with a warning', () => {
  const result = load(undefined);
  expect(authOf(result).keys.map(({ name }) => name)).toEqual(['alice']);
  expect(result.problems).toMatchObject([
    { severity: 'warning', path: 'auth.keys_file', line: 5, message: expect.stringContaining('keys create') },
  ]);
  for (const text of ['', '# keys: later\n', '{}\n', 'raises: []\n'])
    expect(load(text).problems).toMatchObject([
      {
        severity: 'warning',
        file: '/etc/llmproxy/keys.yaml',
        message: expect.stringContaining('`keys: []`'),
      },
    ]);
  for (const text of ['keys: []\n', '\uFEFFkeys: []\n', '{ keys: [] }', '{"keys":[]}', '"keys": []\r\n'])
    expect([text, load(text).problems]).toEqual([text, []]);
});

const WRONG: readonly (readonly [string, string, string, string])[] = [
  ['no YAML', 'keys: [\n', '1:7', 'never closed'],
  [
    'an unknown key',
    `keys:\n  - name: bob\n    hash: "${HASH}"\n    groop: acme\n`,
    '4:5',
    'did you mean `group`?',
  ],
  ['no list', 'keys: 5\n', '1:7', 'expected a list, found a number'],
  [
    'a name of the configuration',
    `keys: [{ name: alice, hash: "${HASH}" }]\n`,
    '1:16',
    'exists already in the configuration',
  ],
  [
    'a name twice',
    `keys:\n  - { name: b, hash: "${HASH}" }\n  - { name: b, hash: "${OTHER}" }\n`,
    '3:13',
    'exists already',
  ],
  [
    'a key twice',
    `keys:\n  - { name: b, hash: "${HASH}" }\n  - { name: c, hash: "${HASH}" }\n`,
    '3:22',
    '`b` is the same key',
  ],
  ['an unknown group', `keys: [{ name: b, hash: "${HASH}", group: acmee }]\n`, ':', 'did you mean `acme`?'],
  ['a secret', 'keys: [{ name: b, key: plum-secret }]\n', ':', 'unknown key `key`'],
  [
    'a model nobody serves',
    `keys: [{ name: b, hash: "${HASH}", limits: [{ budget: 1, per: day, when_used_up: { use: nix } }] }]\n`,
    ':',
    'serves `nix`',
  ],
];

test.each(WRONG)('loadConfig() names the position in the keys file: %s', (_, keys, place, message) => {
  const result = load(keys);
  expect(result.config).toBeUndefined();
  const text = shown(keys);
  expect(text).toStartWith(`/etc/llmproxy/keys.yaml:${place === ':' ? '' : `${place} error`}`);
  expect(text).toContain(message);
  expect(text).not.toContain('plum-secret');
});

test('loadConfig() warns of a raise for an unknown key', () => {
  const result = load('keys: []\nraises: [{ key: nobody, kind: tokens, by: 5, until: 2027-01-31 }]\n');
  expect(result.config).toBeDefined();
  expect(result.problems).toMatchObject([
    { severity: 'warning', file: '/etc/llmproxy/keys.yaml', path: 'raises[0].key' },
  ]);
});

test('loadConfig() warns of lists in the keys file that match nothing', () => {
  const result = load(`keys: [{ name: bob, hash: "${HASH}", providers: [nobody] }]\n`);
  expect(result.config).toBeDefined();
  expect(result.problems).toMatchObject([
    { severity: 'warning', file: '/etc/llmproxy/keys.yaml', path: 'keys[0].providers[0]' },
  ]);
});

describe('ConfigManager', () => {
  const directory = mkdtempSync(join(tmpdir(), 'llmproxy-keys-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'config.yaml');
  const keysPath = join(directory, 'keys.yaml');
  const write = (file: string, text: string) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  };
  const bob = `keys: [{ name: bob, hash: "${HASH}" }]\n`;
  const names = (manager: ConfigManager) =>
    (manager.current!.auth as Exclude<AuthConfig, 'none' | undefined>).keys.map(({ name }) => name);

  beforeEach(() => {
    rmSync(keysPath, { recursive: true, force: true });
    write(path, CONFIG);
  });

  test('finds the keys file beside the configuration, and notices when it appears, changes and disappears', () => {
    const manager = new ConfigManager(path, {});
    manager.reload();
    expect([manager.stale, names(manager)]).toEqual([false, ['alice']]);
    write(keysPath, bob);
    expect(manager.stale).toBe(true);
    manager.reload();
    expect([manager.stale, names(manager)]).toEqual([false, ['alice', 'bob']]);
    write(keysPath, bob.replace('bob', 'carol'));
    expect(manager.stale).toBe(true);
    manager.reload();
    expect(names(manager)).toEqual(['alice', 'carol']);
    rmSync(keysPath);
    expect(manager.stale).toBe(true);
    manager.reload();
    expect([manager.stale, names(manager)]).toEqual([false, ['alice', 'carol']]);
  });

  test.each<[string, string, () => void]>([
    ['emptied', 'no list of keys', () => writeFileSync(keysPath, '')],
    ['reduced to a comment', 'no list of keys', () => write(keysPath, '# keys: [{ name: bob }]\n')],
    ['reduced to an empty map', 'no list of keys', () => write(keysPath, '{}\n')],
    ['cut off within a key', 'never closed', () => writeFileSync(keysPath, bob.slice(0, -20))],
    ['cut off before its first key', 'keys', () => writeFileSync(keysPath, 'keys:\n')],
    ['deleted', 'any more', () => rmSync(keysPath)],
    ['a dangling link', 'any more', () => (rmSync(keysPath), symlinkSync('nowhere', keysPath))],
    ['a directory', 'EISDIR', () => (rmSync(keysPath), mkdirSync(keysPath))],
    [
      'replaced by zeros, as after a crash of the machine',
      'zero byte',
      () => write(keysPath, '\0'.repeat(80)),
    ],
  ])('keeps the keys of a file that is %s, until it says otherwise', (_, words, spoil) => {
    write(keysPath, bob);
    const manager = new ConfigManager(path, {});
    manager.reload();
    spoil();
    expect(manager.stale).toBe(true);
    const { problems } = manager.reload();
    expect(formatProblems(problems, { path, color: false })).toContain(words);
    expect([manager.stale, names(manager)]).toEqual([false, ['alice', 'bob']]);
    rmSync(keysPath, { recursive: true, force: true });
    write(keysPath, '\uFEFFkeys: []\r\n');
    manager.reload();
    expect(names(manager)).toEqual(['alice']);
  });

  test('keeps the keys when the configuration names a file that does not exist', () => {
    write(keysPath, bob);
    const manager = new ConfigManager(path, {});
    manager.reload();
    write(path, CONFIG.replace('keys.yaml', 'kyes.yaml'));
    expect(manager.reload().config).toBeUndefined();
    expect(names(manager)).toEqual(['alice', 'bob']);
  });

  test('keeps the last configuration while the keys file is invalid', () => {
    write(keysPath, bob);
    const manager = new ConfigManager(path, {});
    manager.reload();
    const last = manager.current;
    write(keysPath, 'keys: [');
    expect(manager.reload().config).toBeUndefined();
    expect(manager.current).toBe(last);
    expect(manager.currentText!.keys).toBe(bob);
    write(keysPath, bob.replace('bob', 'carol'));
    expect(manager.stale).toBe(true);
    manager.reload();
    expect(names(manager)).toEqual(['alice', 'carol']);
  });

  test('returns texts from which other processes load the same', () => {
    write(keysPath, bob);
    const manager = new ConfigManager(path, {});
    manager.reload();
    const text = manager.currentText!;
    rmSync(keysPath);
    expect(loadText(text, {}).config).toEqual(manager.current);
  });

  test('forgets a keys file that is no longer named', () => {
    write(keysPath, bob);
    const manager = new ConfigManager(path, {});
    manager.reload();
    write(path, CONFIG.replace('  keys_file: keys.yaml\n', ''));
    manager.reload();
    expect(names(manager)).toEqual(['alice']);
    write(keysPath, bob.replace('bob', 'carol'));
    expect(manager.stale).toBe(false);
  });
});
