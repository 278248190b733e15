/**
 * `llmproxy keys` with the compiled binary: what it writes, what it shows, and how a running proxy reacts.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BINARY, built, cleared, folder, run, runInTerminal, serve } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const CONFIG = `providers: [{ name: mock, type: mock }]
groups:
  acme: { each_key: [{ tokens: 100k, per: day }], models: ["mock*"] }
auth:
  keys_file: keys.yaml
  keys: [{ name: written, key: written-plum-key, group: acme, ops: true }]
`;
const SECRET = /^sk-llmproxy-[A-Za-z0-9]{40,}\n$/;

function place(config = CONFIG): string {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), config);
  return cwd;
}

const keysIn = (cwd: string) => readFileSync(join(cwd, 'keys.yaml'), 'utf8');
const keys = (cwd: string, ...args: string[]) => run(cwd, 'keys', ...args);

describe('llmproxy keys', () => {
  test('create prints the key once on stdout, and writes only its hash', () => {
    const cwd = place();
    const { code, out, err } = keys(cwd, 'create', 'alice', '--group', 'acme');
    expect({ code, out: SECRET.test(out) }).toEqual({ code: 0, out: true });
    expect(err).toContain('shown only once');
    const secret = out.trim();
    const text = keysIn(cwd);
    expect(text).toContain(`sha256:${createHash('sha256').update(secret).digest('hex')}`);
    expect(text).toContain(`prefix: ${secret.slice(0, 16)}\n`);
    expect(text + err).not.toContain(secret);
    expect(statSync(join(cwd, 'keys.yaml')).mode & 0o777).toBe(0o600);
    expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('create writes all that its flags set, in a valid form', () => {
    const cwd = place();
    const flags =
      '--group acme --models mock*,{a,b} --endpoints chat --providers mock --budget 50 --tokens 200k --per month --concurrent 5 --label team=search --label env=prod --log metadata --ops --expires 2999-01-31';
    expect(keys(cwd, 'create', 'alice', ...flags.split(' ')).code).toBe(0);
    const { out } = keys(cwd, 'show', 'alice', '--json');
    expect(JSON.parse(out)).toMatchObject({
      name: 'alice',
      where: 'keys_file',
      state: 'active',
      group: 'acme',
      models: ['mock*', '{a,b}'],
      endpoints: ['chat'],
      providers: ['mock'],
      limits: [{ budget: 50, per: 'month' }, { tokens: 200_000, per: 'month' }, { concurrent: 5 }],
      labels: { team: 'search', env: 'prod' },
      log: 'metadata',
      ops: true,
      expires: '2999-02-01T00:00:00.000Z',
      last_used: null,
    });
    expect(run(cwd, 'config', 'validate').code).toBe(0);
    expect(keys(cwd, 'create', 'none', '--models', '').code).toBe(0);
    expect(keysIn(cwd)).toContain('models: []');
  });

  test('create --json prints JSON', () => {
    const cwd = place();
    const { out, err } = keys(cwd, 'create', 'bob', '--json');
    expect(JSON.parse(out)).toMatchObject({ name: 'bob', file: join(cwd, 'keys.yaml') });
    expect((JSON.parse(out) as { key: string }).key + '\n').toMatch(SECRET);
    expect(err).toBe('');
  });

  test('list and show include all keys, and no secret or hash', async () => {
    const cwd = place();
    const secret = keys(cwd, 'create', 'alice', '--expires', '2999-01-31').out.trim();
    keys(cwd, 'create', 'gone', '--expires', '2999-01-31');
    keys(cwd, 'disable', 'gone');
    const { code, out } = keys(cwd, 'list');
    expect(code).toBe(0);
    expect(out).toMatch(/^NAME +PREFIX +GROUP +EXPIRES +LAST USE +USD$/m);
    expect(out).toMatch(/^written +config +acme +- +- +0\.00$/m);
    expect(out).toMatch(/^alice +sk-llmproxy-\w{4} +- +2999-01-31 +- +0\.00$/m);
    expect(out).toMatch(/^gone .* disabled /m);
    const all = [
      'list',
      'list --json',
      'show alice',
      'show alice --json',
      'show written',
      'show written --json',
    ];
    const texts = all.map((args) => keys(cwd, ...args.split(' ')).out).join('\n');
    for (const hidden of [secret, 'sha256:', 'written-plum-key']) expect(texts).not.toContain(hidden);
    const config = join(cwd, 'config.yaml');
    const shown = await runInTerminal(80, 'keys', 'list', '--config', config);
    expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(shown).not.toContain('\x1b[');
  });

  test('comments and formatting in the file are kept', () => {
    const cwd = place();
    const text = `# ours\nraises: []\nkeys:\n  # the first\n  - hash: sha256:${'a'.repeat(64)} # of alice\n    name: alice\n    labels: { team: "search" }\n`;
    writeFileSync(join(cwd, 'keys.yaml'), text);
    chmodSync(join(cwd, 'keys.yaml'), 0o640);
    keys(cwd, 'create', 'bob');
    expect(keysIn(cwd)).toStartWith(text);
    keys(cwd, 'disable', 'alice');
    expect(keysIn(cwd)).toContain(
      '# of alice\n    name: alice\n    labels: { team: "search" }\n    disabled: true\n',
    );
    keys(cwd, 'enable', 'alice');
    keys(cwd, 'revoke', 'bob');
    expect(keysIn(cwd)).toBe(text);
    expect(statSync(join(cwd, 'keys.yaml')).mode & 0o777).toBe(0o640);
  });

  test('a file with only comments keeps them, and anchors are kept', () => {
    const cwd = place();
    writeFileSync(join(cwd, 'keys.yaml'), '# nothing yet\n');
    expect(keys(cwd, 'create', 'alice').code).toBe(0);
    expect(keysIn(cwd)).toStartWith('# nothing yet\n');
    expect(keysIn(cwd)).toContain('  - name: alice\n');
    const [one, two] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`);
    const text = `keys:\n  - name: bob\n    hash: ${one}\n    models: &few [ a, b ]\n  - name: eve\n    hash: ${two}\n    models: *few\n`;
    writeFileSync(join(cwd, 'keys.yaml'), text);
    expect(keys(cwd, 'disable', 'eve').code).toBe(0);
    expect(keysIn(cwd)).toBe(`${text}    disabled: true\n`);
  });

  test('an empty file, which a failed write may have left, is not written', () => {
    const cwd = place();
    writeFileSync(join(cwd, 'keys.yaml'), '');
    const { code, err } = keys(cwd, 'create', 'alice');
    expect([code, err]).toEqual([1, expect.stringContaining('write `keys: []` into it')]);
    expect(keysIn(cwd)).toBe('');
    writeFileSync(join(cwd, 'keys.yaml'), 'keys: []\n');
    expect(keys(cwd, 'create', 'alice').code).toBe(0);
  });

  test('a file that is a symlink remains one', () => {
    const cwd = place();
    mkdirSync(join(cwd, 'data'));
    writeFileSync(join(cwd, 'data/real.yaml'), 'keys: []\n');
    symlinkSync('data/real.yaml', join(cwd, 'keys.yaml'));
    expect(keys(cwd, 'create', 'alice').code).toBe(0);
    expect(readFileSync(join(cwd, 'data/real.yaml'), 'utf8')).toContain('name: alice');
  });

  test('commands that run at the same time lose nothing', async () => {
    const cwd = place();
    const names = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    const codes = await Promise.all(
      names.map(
        (name) =>
          Bun.spawn([BINARY, 'keys', 'create', name], {
            env: process.env,
            cwd,
            stdout: 'ignore',
            stderr: 'ignore',
          }).exited,
      ),
    );
    expect(codes).toEqual(names.map(() => 0));
    const written = [...keysIn(cwd).matchAll(/- name: (\S+)/g)].map(([, name]) => name!);
    expect(written.toSorted()).toEqual(names.toSorted());
  }, 60_000);

  test('rotate keeps name and rules; with --grace old hashes stay for a while, without it none does', () => {
    const cwd = place();
    const first = keys(cwd, 'create', 'alice', '--group', 'acme').out.trim();
    const second = keys(cwd, 'rotate', 'alice', '--grace', '24h').out.trim();
    expect(`${second}\n`).toMatch(SECRET);
    const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
    expect(keysIn(cwd)).toContain(`previous: [ { hash: ${hash(first)}, until: `);
    expect(keysIn(cwd)).toContain(`hash: ${hash(second)}\n`);
    expect(keysIn(cwd)).toContain('group: acme');
    const third = keys(cwd, 'rotate', 'alice', '--grace', '1h').out.trim();
    for (const key of [first, second, third]) expect(keysIn(cwd)).toContain(hash(key));
    // A key is replaced at once because one has leaked, and it may be any of them.
    const { out, err } = keys(cwd, 'rotate', 'alice');
    expect(err).toContain('Older keys no longer work.');
    for (const key of [first, second, third]) expect(keysIn(cwd)).not.toContain(hash(key));
    expect(keysIn(cwd)).toContain(hash(out.trim()));
    expect(keysIn(cwd)).not.toContain('previous');
  });

  test('raise accepts keys of both files, and days, times and durations', () => {
    const cwd = place();
    keys(cwd, 'create', 'alice', '--budget', '5', '--per', 'month', '--concurrent', '2');
    const raise = (...args: string[]) => keys(cwd, 'raise', ...args);
    expect(raise('alice', '--budget', '+20', '--until', 'tomorrow').code).toBe(0);
    expect(raise('alice', '--concurrent', '3', '--until', '24h').code).toBe(0);
    expect(raise('written', '--tokens', '200k', '--until', '2999-01-31T12:00:00Z').code).toBe(0);
    expect(raise('alice', '--budget', '1', '--until', 'today').code).toBe(0);
    const { raises } = JSON.parse(keys(cwd, 'show', 'alice', '--json').out) as { raises: object[] };
    expect(raises).toMatchObject([
      { kind: 'budget', by: 20 },
      { kind: 'concurrent', by: 3 },
      { kind: 'budget', by: 1 },
    ]);
    const text = keysIn(cwd);
    expect(text).toContain('by: 200000\n    until: 2999-01-31T12:00:00Z');
    // Revoking a key removes its raises.
    keys(cwd, 'revoke', 'alice');
    expect(keysIn(cwd).match(/- key: /g)).toHaveLength(1);
  });

  const WRONG: readonly (readonly [string, number, string])[] = [
    ['create written', 1, 'config.yaml has one of this name'],
    ['create alice', 1, 'llmproxy keys rotate alice'],
    ['create x --group acmee', 1, 'did you mean `acme`?'],
    ['create a:b', 1, 'expected letters'],
    ['create', 2, 'NAME'],
    ['create x --budget 5', 2, '--per'],
    ['create x --budget five --per day', 2, '--budget five'],
    ['create x --tokens 1.5 --per day', 2, '--tokens 1.5'],
    ['create x --per day', 2, 'give --budget'],
    ['create x --budget 5 --per fortnight', 2, 'expected second'],
    ['create x --expires yesterday', 2, 'expected a day'],
    ['create x --expires 2020-01-31', 2, 'has passed'],
    ['create x --label team', 2, 'NAME=VALUE'],
    ['create x --log everything', 1, 'full, metadata, none'],
    ['show nobody', 1, 'no such key'],
    ['rotate written', 1, 'written in config.yaml'],
    ['rotate alice --grace soon', 2, '--grace soon'],
    ['revoke nobody', 1, 'no such key'],
    ['disable written', 1, 'change it there'],
    ['raise alice --budget 5 --until tomorrow', 1, 'no such limit of its own'],
    ['raise nobody --budget 5 --until tomorrow', 1, 'no such key'],
    ['raise written --tokens 5', 2, '--until'],
    ['raise written --until tomorrow', 2, 'give --budget'],
    ['lost', 2, 'did you mean `llmproxy keys list`?'],
  ];

  test.each(WRONG)('%s: exit %d, and nothing is changed', (args, code, message) => {
    const cwd = place();
    keys(cwd, 'create', 'alice');
    const before = keysIn(cwd);
    const result = keys(cwd, ...args.split(' '));
    expect(result.err).toContain(message);
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
    expect(keysIn(cwd)).toBe(before);
  });

  test('an invalid file is left unchanged', () => {
    const cwd = place();
    writeFileSync(join(cwd, 'keys.yaml'), 'keys: [\n');
    const { code, err } = keys(cwd, 'create', 'alice');
    expect(code).toBe(1);
    expect(err).toContain('keys.yaml:1:7 error: this bracket is never closed');
    expect(keysIn(cwd)).toBe('keys: [\n');
  });

  test('if the configuration names no file, it says which line to add; --file names one', () => {
    const bare = 'providers: [{ name: mock, type: mock }]\n';
    const cwd = place(bare);
    const { code, err } = keys(cwd, 'create', 'alice');
    expect(code).toBe(1);
    expect(err).toContain('auth:\n  keys_file: keys.yaml\n');
    const named = keys(cwd, 'create', 'alice', '--file', 'mine.yaml');
    expect(named.code).toBe(0);
    expect(named.err).toContain('does not name this file yet');
    expect(existsSync(join(cwd, 'mine.yaml'))).toBe(true);
    const nowhere = folder();
    expect(keys(nowhere, 'list').err).toContain('--file');
    expect(keys(nowhere, 'create', 'alice', '--file', 'k.yaml').code).toBe(0);
    expect(keys(nowhere, 'list', '--file', 'k.yaml').out).toContain('alice');
  });

  test('variables that only the server has are not required', () => {
    const cwd = place(
      CONFIG.replace('key: written-plum-key', 'key_env: NOT_SET_HERE').replace(
        'type: mock }',
        'type: mock, api_key: "${NOR_THIS}" }',
      ),
    );
    expect(keys(cwd, 'create', 'alice').code).toBe(0);
    expect(keys(cwd, 'list').out).toContain('written');
  });

  test('config validate says that the file does not exist yet, and names positions in it', () => {
    const cwd = place();
    const missing = run(cwd, 'config', 'validate');
    expect(missing.code).toBe(0);
    expect(missing.err).toContain('llmproxy keys create NAME');
    writeFileSync(join(cwd, 'keys.yaml'), 'keys:\n  - name: x\n');
    const broken = run(cwd, 'config', 'validate');
    expect(broken.code).toBe(1);
    expect(broken.err).toContain(`${join(cwd, 'keys.yaml')}:2:5 error: keys[0] needs \`hash\``);
  });
});

const CHAT = JSON.stringify({ model: 'mock', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });

/** Uses a new connection, which may reach any of several workers. */
async function ask(url: string, key: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: CHAT,
    keepalive: false,
  });
  await answer.text();
  return answer.status;
}

/** Waits until this many requests in a row receive the status. */
async function answers(url: string, key: string, status: number, times = 1): Promise<void> {
  await until(`${status} for a key`, async () => {
    for (let time = 0; time < times; time += 1) if ((await ask(url, key)) !== status) return false;
    return true;
  });
}

describe('a running proxy', () => {
  test('applies keys as they are created, rotated, disabled and revoked', async () => {
    const cwd = place();
    const { url, process } = await serve(cwd);
    let told = '';
    void (async () => {
      for await (const chunk of process.stderr) told += new TextDecoder().decode(chunk);
    })();
    expect(await ask(url, 'written-plum-key')).toBe(200);
    const first = keys(cwd, 'create', 'alice').out.trim();
    await answers(url, first, 200);
    const second = keys(cwd, 'rotate', 'alice', '--grace', '4s').out.trim();
    await answers(url, second, 200);
    expect(await ask(url, first)).toBe(200);
    await answers(url, first, 401);
    expect(await ask(url, second)).toBe(200);
    keys(cwd, 'disable', 'alice');
    await answers(url, second, 403);
    keys(cwd, 'enable', 'alice');
    await answers(url, second, 200);
    writeFileSync(join(cwd, 'keys.yaml'), 'keys: [\n');
    await until('the message about the file', () => told.includes('the previous one stays in effect'));
    expect(told).toContain('keys.yaml:1:7 error: this bracket is never closed');
    expect(await ask(url, second)).toBe(200);
    writeFileSync(join(cwd, 'keys.yaml'), '');
    await until('the message about the empty file', () => told.includes('has no list of keys'));
    expect(await ask(url, second)).toBe(200);
    writeFileSync(join(cwd, 'keys.yaml'), 'keys: []\n');
    await answers(url, second, 401);
    expect(await ask(url, 'written-plum-key')).toBe(200);
    // Usage is written with a delay.
    await until('both requests', () => {
      const { out } = keys(cwd, 'show', 'written', '--json');
      return (JSON.parse(out) as { requests_this_month: number }).requests_this_month === 2;
    });
  }, 60_000);

  test('does not read a file while it is being written', async () => {
    const cwd = place();
    const { url } = await serve(cwd);
    keys(cwd, 'create', 'alice');
    const begun = keysIn(cwd);
    const bob = keys(cwd, 'create', 'bob').out.trim();
    const whole = keysIn(cwd);
    await answers(url, bob, 200);
    // The beginning is valid by itself, and has one key less.
    for (let time = 0; time < 40; time += 1) {
      writeFileSync(join(cwd, 'keys.yaml'), time % 2 === 0 ? begun : whole);
      await Bun.sleep(100);
      expect(await ask(url, bob)).toBe(200);
    }
  }, 60_000);

  test.skipIf(process.platform !== 'linux')(
    'has all of its workers take them over',
    async () => {
      const cwd = place(`${CONFIG}server: { workers: 3 }\n`);
      const { url } = await serve(cwd);
      const first = keys(cwd, 'create', 'alice').out.trim();
      await answers(url, first, 200, 20);
      const second = keys(cwd, 'rotate', 'alice', '--grace', '1h').out.trim();
      await answers(url, second, 200, 20);
      await answers(url, first, 200, 20);
      keys(cwd, 'revoke', 'alice');
      await answers(url, second, 401, 20);
    },
    60_000,
  );
});
