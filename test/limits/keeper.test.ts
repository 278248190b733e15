/** What is used, kept in a real directory. */
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

describe('what is kept', () => {
  test('is there again, and nothing is said of a crash', async () => {
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

  test('holds for as long as its window, and a total for good', async () => {
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

  test('is bounded over restarts too, and those who are known stay known', async () => {
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

  test('is removed from the file when it no longer counts, while it is served', async () => {
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

  test('is not more than was written, when a process ends without warning, and how far that was is known', async () => {
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

  test('begins with a mark, should the process end before it has anything to write', async () => {
    const directory = folder();
    await opened(directory).keeper.close();
    const { clock } = opened(directory);
    killed(directory);
    const next = opened(directory);
    expect(next.keeper.crashed).toEqual({ atMs: clock.now(), lastIds: [] });
    await next.keeper.close();
  });

  test('is written by one after the other, whoever asks for it', async () => {
    const directory = folder();
    const { keeper, use, problems } = opened(directory);
    const users = Array.from({ length: 2_000 }, (_, n) => `u${n}`);
    for (const user of users.slice(0, 1_000)) use(user);
    // A timer, and two others, while the first still writes.
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

  test('is written later, where it cannot be written now, and that is told once', async () => {
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
      expect.stringMatching(/^Cannot write what is used to .*: database is locked; it is counted in memory/),
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

describe('a directory', () => {
  test('that another one uses is refused, until that is gone', async () => {
    const directory = folder();
    const first = opened(directory);
    expect(() => opened(directory)).toThrow('another llmproxy uses it; give each its own state.directory');
    await first.keeper.close();
    await opened(directory).keeper.close();
  });

  test.each(['usage.sqlite', 'lock.sqlite'])(
    'with a damaged %s is refused by the name of the file, and taken when it is moved away',
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

  test('with a damaged row is refused by the name of the file', async () => {
    const directory = folder();
    await opened(directory).keeper.close();
    const db = new Database(join(directory, 'usage.sqlite'));
    db.run("INSERT INTO meters VALUES ('x', '{', 9e15)");
    db.close();
    expect(() => opened(directory)).toThrow('usage.sqlite in it cannot be read');
    expect(() => opened(directory)).toThrow('usage.sqlite in it cannot be read');
  });

  test('that cannot be made is refused', () => {
    const directory = folder();
    writeFileSync(directory, 'a file');
    expect(() => opened(directory)).toThrow();
  });
});

/** Lets others have the directory, as the end of a process does. What it had written stays. */
function killed(directory: string): void {
  // A file of another name has a lock of its own; the open one goes with this process.
  rmSync(join(directory, 'lock.sqlite'));
}
