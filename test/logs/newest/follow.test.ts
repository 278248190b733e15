import { expect, test } from 'bun:test';
import { appendFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogFollower } from '../../../src/logs/newest/follow.ts';
import { logDirectory } from '../../helpers/log-directory.ts';
import { until } from '../../helpers/until.ts';

/** The lines that a follower finds in these logs. */
async function following(...named: string[]) {
  const follower = new LogFollower(named);
  const ends = await follower.begin();
  const stop = new AbortController();
  const lines: string[] = [];
  const done = (async () => {
    for await (const { line } of follower.lines(stop.signal)) lines.push(line.toString());
  })();
  return {
    ends,
    until: (...expected: string[]) =>
      until(`the lines ${expected.join(' ')}`, () => lines.join(' ') === expected.join(' ')),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

const day = (sequence: string) => `llmproxy-2026-03-04${sequence}.ndjson`;

test('returns complete lines written from now on, also in files that are created later', async () => {
  await using dir = await logDirectory();
  const [first, second, other] = ['', '.1', '.w2'].map((each) => join(dir.path, day(each))) as [
    string,
    string,
    string,
  ];
  writeFileSync(first, 'old\n');
  await using follower = await following(dir.path);
  expect([...follower.ends]).toEqual([[first, 4]]);
  appendFileSync(first, 'one\ntw');
  await follower.until('one');
  appendFileSync(first, 'o\n');
  await follower.until('one', 'two');
  writeFileSync(second, 'three\n');
  await follower.until('one', 'two', 'three');
  writeFileSync(other, 'four\n');
  await follower.until('one', 'two', 'three', 'four');
  // A late line in the previous file is found too.
  appendFileSync(first, 'five\n');
  await follower.until('one', 'two', 'three', 'four', 'five');
});

test('reads a file to its end when it is compressed and removed, and ignores compressed files', async () => {
  await using dir = await logDirectory();
  const [first, second] = ['', '.1'].map((each) => join(dir.path, day(each))) as [string, string];
  writeFileSync(first, '');
  await using follower = await following(dir.path);
  appendFileSync(first, 'last\n');
  unlinkSync(first);
  writeFileSync(`${first}.zst`, 'packed\n');
  writeFileSync(second, 'next\n');
  await follower.until('last', 'next');
});

test('waits for files that do not exist yet', async () => {
  await using dir = await logDirectory();
  const path = join(dir.path, 'none', day(''));
  await using follower = await following(join(dir.path, 'none'));
  await Bun.$`mkdir ${join(dir.path, 'none')}`;
  writeFileSync(path, 'one\n');
  await follower.until('one');
});

test('follows a named file that another program rotates or truncates', async () => {
  await using dir = await logDirectory();
  const path = join(dir.path, 'app.log');
  writeFileSync(path, 'old\n');
  await using follower = await following(path);
  appendFileSync(path, 'one\n');
  await follower.until('one');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'two\n');
  await follower.until('one', 'two');
  truncateSync(path);
  await Bun.sleep(300);
  appendFileSync(path, 'three\n');
  await follower.until('one', 'two', 'three');
});
