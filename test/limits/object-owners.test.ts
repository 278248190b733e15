/** Who had providers store what, in a real file. */
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keeper } from '../../src/limits/keeper.ts';
import { ObjectOwners, putObject, readObject, trimObjects } from '../../src/limits/object-owners.ts';
import { claimState, SharedKeeper } from '../../src/limits/shared-keeper.ts';
import { openState } from '../../src/limits/state-file.ts';
import { turns } from '../../src/turns.ts';
import { FakeClock } from '../helpers/clock.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).toReversed()) clean();
});
function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'llmproxy-owners-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const options = (path: string) => ({
  directory: path,
  flushMs: 1_000,
  maxMeters: 10,
  clock: new FakeClock(),
  onProblem: () => undefined,
});
const alices = { owner: 'alice', provider: 'p' };
const bobs = { owner: 'bob', provider: 'q' };

test('Keeper persists them after the interval, and keeps the first owner', async () => {
  const path = directory();
  const first = new Keeper({ ...options(path), turns });
  first.objects.note('resp_1', alices);
  expect(first.objects.get('resp_1')).toEqual(alices);
  await first.close();
  const second = new Keeper({ ...options(path), turns });
  expect(second.objects.get('resp_1')).toEqual(alices);
  second.objects.note('resp_1', bobs);
  expect(second.objects.get('resp_1')).toEqual(alices);
  await second.flush();
  expect(second.objects.get('resp_1')).toEqual(alices);
  expect(second.objects.get('resp_2')).toBeUndefined();
  await second.close();
});

test('SharedKeeper shows them to the other workers, and to those that replace it', async () => {
  const path = directory();
  cleanups.push(claimState(path));
  const [one, two] = [1, 2].map((worker) => new SharedKeeper({ ...options(path), worker }));
  one!.objects.note('resp_1', alices);
  one!.flush();
  two!.objects.note('resp_1', bobs);
  two!.flush();
  for (const keeper of [one!, two!]) expect(keeper.objects.get('resp_1')).toEqual(alices);
  await one!.close();
  await two!.close();
});

test('what could not be written is written later', async () => {
  const path = directory();
  const keeper = new Keeper({ ...options(path), turns });
  const other = openState(path);
  other.run('BEGIN IMMEDIATE');
  keeper.objects.note('resp_1', alices);
  await keeper.flush();
  other.run('COMMIT');
  expect(readObject(other, 'resp_1')).toBeUndefined();
  await keeper.flush();
  expect(readObject(other, 'resp_1')).toEqual(alices);
  other.close();
  await keeper.close();
});

test('the owner of most loses the oldest', () => {
  const db = openState(directory());
  cleanups.push(() => db.close());
  putObject(db, 'bob-1', bobs, 1);
  for (let index = 0; index < 300; index += 1) putObject(db, `alice-${index}`, alices, 2 + index);
  trimObjects(db, 200);
  expect(readObject(db, 'bob-1')).toEqual(bobs);
  expect([readObject(db, 'alice-99'), readObject(db, 'alice-299')]).toEqual([undefined, alices]);
  expect(db.query('SELECT COUNT(*) AS count FROM objects').get()).toEqual({ count: 198 });
});

test('ObjectOwners is bounded where nothing is persisted', () => {
  const owners = new ObjectOwners();
  for (let index = 0; index <= 10_000; index += 1) owners.note(`resp_${index}`, alices);
  expect([owners.get('resp_0'), owners.get('resp_1'), owners.get('resp_10000')]).toEqual([
    undefined,
    alices,
    alices,
  ]);
});
