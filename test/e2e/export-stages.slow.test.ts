/**
 * The script of docs/stages.md with the compiled binary: two concurrent processes produce the same bytes as
 * one.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fences } from '../docs/pages.ts';
import { logLines } from '../export/stages/logs.ts';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const SCRIPT = fences('docs/stages.md', 'sh').find((text) => text.includes('xargs'))!;

/** A folder with logs, in which scripts find the program by its name. */
function workplace(): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'logs'));
  for (const day of [0, 1])
    writeFileSync(
      join(cwd, `logs/llmproxy-2026-11-2${day}.ndjson`),
      `${logLines(7 + day, 400).join('\n')}\n`,
    );
  mkdirSync(join(cwd, 'bin'));
  writeFileSync(join(cwd, 'bin/llmproxy'), `#!/bin/sh\nexec '${BINARY}' "$@"\n`);
  chmodSync(join(cwd, 'bin/llmproxy'), 0o755);
  return cwd;
}

function script(cwd: string, text: string) {
  const env = { ...process.env, PATH: `${join(cwd, 'bin')}:${process.env.PATH}` };
  const { exitCode, stderr } = Bun.spawnSync(['sh', '-ec', text], { cwd, env });
  return { code: exitCode, err: stderr.toString() };
}

const shards = (cwd: string) =>
  readdirSync(join(cwd, 'dataset/data'))
    .toSorted()
    .map((name) => readFileSync(join(cwd, 'dataset/data', name), 'utf8'))
    .join('');

test.skipIf(Bun.which('jq') === null)(
  'the script for a job scheduler writes what one process writes',
  () => {
    const cwd = workplace();
    const one = run(cwd, 'export', 'logs/', '--successful-only', '-o', 'one/');
    expect(one.code).toBe(0);
    const small = SCRIPT.replace('--partitions 4', '--partitions 4 --range-size 100KB');
    const { code, err } = script(cwd, small);
    // Stages store the absolute path of the directory.
    expect({ code, err: err.replaceAll(join(cwd, 'dataset'), 'one/') }).toEqual({ code: 0, err: one.err });
    expect(readdirSync(join(cwd, 'dataset/data')).length).toBeGreaterThan(3);
    expect(shards(cwd)).toBe(readFileSync(join(cwd, 'one/train.jsonl'), 'utf8'));
  },
  120_000,
);

test('a stage that waits for rows ends on a signal', async () => {
  const cwd = workplace();
  run(cwd, 'export', '--stage', 'plan', 'logs/', '-o', 'dataset/');
  for (const stage of [['decide', '--partition', '0'], ['render', '--range', '0'], ['finish']]) {
    const args = ['export', '--plan', 'dataset/plan.json', '--stage', ...stage];
    const waiting = Bun.spawn([BINARY, ...args], {
      env: process.env,
      cwd,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    });
    await Bun.sleep(1_500);
    waiting.kill('SIGTERM');
    expect([stage[0], await waiting.exited]).toEqual([stage[0], 143]);
  }
  expect(readdirSync(join(cwd, 'dataset'))).toEqual(['plan.json']);
}, 120_000);

test('missing stages are named, and running a stage again changes nothing', () => {
  const cwd = workplace();
  const stage = (name: string, ...args: string[]) =>
    run(cwd, 'export', '--plan', 'dataset/plan.json', '--exchange', 'x', '--stage', name, ...args);
  run(
    cwd,
    'export',
    '--stage',
    'plan',
    'logs/',
    '-o',
    'dataset/',
    '--range-size',
    '200KB',
    '--partitions',
    '2',
  );
  const { ranges } = JSON.parse(readFileSync(join(cwd, 'dataset/plan.json'), 'utf8')) as {
    ranges: unknown[];
  };
  expect(stage('extract', '--range', '0').code).toBe(0);
  expect(stage('decide', '--partition', '0').err).toContain('run --stage extract --range 1');
  for (const range of ranges.keys()) expect(stage('extract', '--range', `${range}`).err).toBe('');
  expect(stage('decide', '--partition', '0').code).toBe(0);
  expect(stage('render', '--range', '0').err).toContain('run --stage decide --partition 1');
  expect(stage('finish').err).toContain('run --stage decide --partition 1');
  expect(stage('decide', '--partition', '1').code).toBe(0);
  expect(stage('render', '--range', '0').code).toBe(0);
  expect(stage('finish')).toEqual({
    code: 1,
    out: '',
    err: 'Cannot finish: the counts of range 1 are missing from render; run that stage again\n',
  });
  for (const range of ranges.keys()) expect(stage('render', '--range', `${range}`).code).toBe(0);
  expect(stage('finish', '-q')).toEqual({ code: 0, out: '', err: '' });
  const before = shards(cwd);
  expect(stage('render', '--range', '1').code).toBe(0);
  expect(shards(cwd)).toBe(before);
  // A log that has grown counts as a different log.
  writeFileSync(join(cwd, 'logs/llmproxy-2026-11-20.ndjson'), '{}\n', { flag: 'a' });
  expect(stage('render', '--range', '0').err).toContain('it has changed since the plan was made');
}, 120_000);
