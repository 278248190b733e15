/** Usage stored in a real directory. */
import { afterAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limit } from '../../src/config/schema/groups.ts';
import { Keeper } from '../../src/limits/keeper.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { turns } from '../../src/turns.ts';
import { FakeClock } from '../helpers/clock.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llmproxy-test-'));
  folders.push(path);
  return join(path, 'state');
}

const DAILY = limitsOf([limit.parse({ requests: 1e6, per: 'day' })], { name: 'key a', apart: ['user'] })[0]!;
const meter = (name: string) => `${DAILY.id} | ${name}`;
const charge = (name: string) => ({
  limit: DAILY,
  meter: meter(name),
  most: 1e6,
  amount: 1,
  known: 1,
  lenient: false,
});

function opened(directory: string, clock = new FakeClock(), maxMeters = 1e6) {
  const problems: string[] = [];
  const onProblem = (message: string) => void problems.push(message);
  const keeper = new Keeper({ directory, flushMs: 1_000, maxMeters, clock, turns, onProblem });
  const use = (name: string, id = name): void => {
    keeper.ledger.reserve([charge(name)], clock.now());
    keeper.accounts.add(name, 5, 7, clock.now());
    keeper.counted(id);
  };
  const used = (name: string) => keeper.ledger.read(DAILY, meter(name), clock.now()).used;
  return { keeper, clock, problems, use, used };
}

describe('stored usage', () => {
  test('is loaded again, without reporting a crash', async () => {
    const directory = folder();
    const first = opened(directory);
    for (let n = 0; n < 3; n += 1) first.use('u');
    await first.keeper.close();
    const second = opened(directory);
    expect(second.used('u')).toBe(3);
    expect(second.keeper.accounts.of('u', second.clock.now())).toMatchObject({
      requests: 3,
      tokens: 15,
      spent: 21,
    });
    expect(second.keeper.crashed).toBeUndefined();
    await second.keeper.close();
  });

  test('is kept until its window ends, and for a total forever', async () => {
    const directory = folder();
    const total = limitsOf([limit.parse({ requests: 9, per: 'total' })], { name: 'key a', apart: [] })[0]!;
    const first = opened(directory);
    first.use('u');
    first.keeper.ledger.reserve(
      [{ limit: total, meter: total.id, most: 9, amount: 1, known: 1, lenient: false }],
      first.clock.now(),
    );
    await first.keeper.close();
    const later = new FakeClock(first.clock.now() + 400 * 86_400_000);
    const second = opened(directory, later);
    expect(second.keeper.ledger.read(total, total.id, later.now()).used).toBe(1);
    expect(second.used('u')).toBe(0);
    await second.keeper.close();
    const db = new Database(join(directory, 'usage.sqlite'), { readonly: true });
    expect(db.query('SELECT name FROM meters').all()).toEqual([{ name: total.id }]);
    db.close();
  });

  test('is bounded across restarts too, and known callers stay known', async () => {
    const directory = folder();
    const clock = new FakeClock();
    const first = opened(directory, clock, 3);
    for (const user of ['a', 'b', 'c']) first.use(user);
    await first.keeper.close();
    const second = opened(directory, clock, 3);
    for (const user of ['d', 'b', 'e']) second.use(user);
    expect(['a', 'b', 'c', 'd', 'all others'].map(second.used)).toEqual([1, 2, 1, 0, 2]);
    clock.advance(86_400_000);
    second.use('d');
    expect(['a', 'd', 'all others'].map(second.used)).toEqual([0, 1, 0]);
    await second.keeper.close();
  });

  test('is removed from the file when it no longer counts, while the proxy runs', async () => {
    const directory = folder();
    const { keeper, clock, use } = opened(directory);
    use('u');
    await keeper.flush();
    clock.advance(2 * 86_400_000);
    use('v');
    await keeper.flush();
    using db = new Database(join(directory, 'usage.sqlite'), { readonly: true });
    expect(db.query('SELECT name FROM meters').all()).toEqual([{ name: meter('v') }]);
    await keeper.close();
  });

  test('is what was written if the process is killed, and the time of the last write is known', async () => {
    const directory = folder();
    const first = opened(directory);
    first.use('u', 'req_1');
    await first.keeper.flush();
    const keptMs = first.clock.now();
    first.clock.advance(500);
    first.use('u', 'req_2');
    killed(directory);
    const second = opened(directory);
    expect(second.used('u')).toBe(1);
    expect(second.keeper.crashed).toEqual({ atMs: keptMs, lastIds: ['req_1'] });
    await second.keeper.close();
  });

  test('starts with a marker, in case the process ends before it has anything to write', async () => {
    const directory = folder();
    await opened(directory).keeper.close();
    const { clock } = opened(directory);
    killed(directory);
    const next = opened(directory);
    expect(next.keeper.crashed).toEqual({ atMs: clock.now(), lastIds: [] });
    await next.keeper.close();
  });

  test('is written by one flush after another, whoever requests them', async () => {
    const directory = folder();
    const { keeper, use, problems } = opened(directory);
    const users = Array.from({ length: 2_000 }, (_, n) => `u${n}`);
    for (const user of users.slice(0, 1_000)) use(user);
    // A timer and two other flushes, while the first is still writing.
    const all = [keeper.flush()];
    for (const user of users.slice(1_000)) use(user);
    all.push(keeper.flush(), keeper.flush(), keeper.flush());
    await Promise.all(all);
    await keeper.close();
    expect(problems).toEqual([]);
    const next = opened(directory);
    expect(users.map(next.used)).toEqual(users.map(() => 1));
    expect(next.keeper.crashed).toBeUndefined();
    await next.keeper.close();
  });

  test('is written later if writing fails now, and the failure is reported once', async () => {
    const directory = folder();
    const { keeper, clock, use, problems } = opened(directory);
    use('u');
    await keeper.flush();
    const other = new Database(join(directory, 'usage.sqlite'));
    other.run('BEGIN IMMEDIATE');
    for (let n = 0; n < 3; n += 1) {
      use('u');
      await keeper.flush();
    }
    expect(problems).toEqual([
      expect.stringMatching(/^Cannot write usage to .*: database is locked; it is counted in memory/),
    ]);
    other.run('ROLLBACK');
    other.close();
    clock.advance(1_000);
    await keeper.flush();
    expect(problems.at(-1)).toContain('again');
    await keeper.close();
    expect(clock.timers).toBe(0);
    const next = opened(directory);
    expect(next.used('u')).toBe(4);
    await next.keeper.close();
  });
});

describe('a state directory', () => {
  test('is rejected while another process uses it', async () => {
    const directory = folder();
    const first = opened(directory);
    expect(() => opened(directory)).toThrow('another llmproxy uses it; give each its own state.directory');
    await first.keeper.close();
    await opened(directory).keeper.close();
  });

  test.each(['usage.sqlite', 'lock.sqlite'])(
    'with a damaged %s is rejected with the name of the file, and accepted once that is moved away',
    async (file) => {
      const directory = folder();
      mkdirSync(directory);
      writeFileSync(join(directory, file), 'no database, and long enough to be looked at. '.repeat(50));
      for (let n = 0; n < 2; n += 1)
        expect(() => opened(directory)).toThrow(`${file} in it cannot be read (file is not a database)`);
      rmSync(join(directory, file));
      await opened(directory).keeper.close();
    },
  );

  test('with a damaged row is rejected with the name of the file', async () => {
    const directory = folder();
    await opened(directory).keeper.close();
    const db = new Database(join(directory, 'usage.sqlite'));
    db.run("INSERT INTO meters VALUES ('x', '{', 9e15)");
    db.close();
    expect(() => opened(directory)).toThrow('usage.sqlite in it cannot be read');
    expect(() => opened(directory)).toThrow('usage.sqlite in it cannot be read');
  });

  test('that cannot be created is rejected', () => {
    const directory = folder();
    writeFileSync(directory, 'a file');
    expect(() => opened(directory)).toThrow();
  });
});

/** Releases the directory for others, as the end of a process does. What it has written remains. */
function killed(directory: string): void {
  // A file of the same name created later has its own lock; the open one is released with this process.
  rmSync(join(directory, 'lock.sqlite'));
}
