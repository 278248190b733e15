/** deploy/spark/llmproxy_export.py under spark-submit, and its error messages. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';
import { SPARK_PYTHON, SparkExports, submit } from '../helpers/spark.ts';
import { outcomeIn } from './outcome.ts';
import { logLines } from '../export/stages/logs.ts';

const LIMIT_MS = 300_000;

function logs(place: string): string {
  const path = join(place, 'log.ndjson');
  writeFileSync(path, `${logLines(1, 200).join('\n')}\n`);
  return path;
}

/** A script in place of the binary. */
function script(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(SPARK_PYTHON === null)('an export by spark-submit', () => {
  beforeAll(built, 60_000);
  afterAll(cleared);

  test(
    'is the same as in one process, though most tasks die first',
    async () => {
      const place = folder();
      const log = logs(place);
      mkdirSync(join(place, 'marks'));
      const flags = ['-f', 'trl', '--successful-only'];
      expect(run(place, 'export', log, ...flags, '-o', 'one/', '-q').code).toBe(0);
      const { status, said } = await submit(
        ['--master', 'local[2,4]'],
        [
          '--binary',
          join(import.meta.dir, 'flaky.sh'),
          '--',
          log,
          ...flags,
          '--range-size',
          '60KB',
          '-o',
          join(place, 'many/'),
        ],
        { FLAKY_BINARY: BINARY, FLAKY_MARKS: join(place, 'marks') },
      );
      expect([status, status === 0 ? '' : said]).toEqual([0, '']);
      // The summary equals that of a single process.
      expect(said).toMatch(/\nWrote \d+ rows .* to \S+many\n/);
      expect(outcomeIn(join(place, 'many'))).toEqual(outcomeIn(join(place, 'one')));
      expect(readdirSync(join(place, 'many/data')).filter((name) => name.startsWith('.'))).toEqual([]);
    },
    LIMIT_MS,
  );
});

// It starts three more JVMs.
describe.skipIf(SPARK_PYTHON === null || process.env.LLMPROXY_TEST_SCALE !== '1')(
  'executors apart from the driver',
  () => {
    beforeAll(built, 60_000);
    afterAll(cleared);

    test(
      'are brought the binary',
      async () => {
        const place = folder();
        const log = logs(place);
        expect(run(place, 'export', log, '-o', 'one/', '-q').code).toBe(0);
        const args = [
          '--binary',
          BINARY,
          '--',
          log,
          '--range-size',
          '60KB',
          '--partitions',
          '3',
          '-o',
          join(place, 'many/'),
        ];
        const { status, said } = await submit(['--master', 'local-cluster[2,1,1024]'], args);
        expect([status, status === 0 ? '' : said]).toEqual([0, '']);
        expect(outcomeIn(join(place, 'many'))).toEqual(outcomeIn(join(place, 'one')));
      },
      LIMIT_MS,
    );
  },
);

describe.skipIf(SPARK_PYTHON === null)('an export on Spark that is not possible', () => {
  let spark: SparkExports;
  let place: string;
  let log: string;
  beforeAll(async () => {
    built();
    place = folder();
    log = logs(place);
    spark = await SparkExports.start('local[2]', join(place, 'spark.log'));
  }, LIMIT_MS);
  afterAll(async () => {
    await spark?.[Symbol.asyncDispose]();
    cleared();
  });
  const failed = (...args: string[]) => spark.run('--binary', BINARY, ...args);

  test(
    'names what is wrong with the arguments',
    async () => {
      const out = join(place, 'wrong/');
      expect(await spark.run('--binary', '/nowhere/llmproxy', '--', log, '-o', out)).toMatchObject({
        status: 2,
        said: expect.stringContaining('there is no program /nowhere/llmproxy'),
      });
      expect(await failed('--', log)).toMatchObject({
        status: 2,
        said: expect.stringContaining('give the output'),
      });
      expect(await failed('--', 'hdfs://logs/a', '-o', out)).toMatchObject({
        status: 2,
        said: expect.stringContaining('hdfs://logs/a: llmproxy reads and writes files and s3:// only'),
      });
      expect(await failed('--', log, '--stats', '-o', out)).toMatchObject({
        status: 2,
        said: expect.stringMatching(/^llmproxy_export: Cannot use --stats .*with --stage: /),
      });
      expect(await failed('--', log, '--sampel', '3', '-o', out)).toMatchObject({
        status: 2,
        said: expect.stringContaining('--sample'),
      });
      expect(await failed('--', join(place, 'nothing'), '-o', out)).toMatchObject({
        status: 1,
        said: expect.stringContaining('there is no such file or directory'),
      });
    },
    LIMIT_MS,
  );

  test(
    'names what is wrong with the binary of the executors',
    async () => {
      const missing = join(place, 'missing');
      expect(await failed('--executor-binary', missing, '--', log, '-o', join(place, 'a/'))).toMatchObject({
        status: 1,
        said: expect.stringMatching(
          /^llmproxy_export: Cannot run extract of range 0 on \S+: there is no file \S+missing\n$/,
        ),
      });
      const foreign = script(join(place, 'foreign'), '\x7fELF of another machine');
      expect(await failed('--executor-binary', foreign, '--', log, '-o', join(place, 'b/'))).toMatchObject({
        status: 1,
        said: expect.stringContaining('name their binary with --executor-binary'),
      });
      const older = script(
        join(place, 'older'),
        `#!/bin/sh
for word; do [ "$previous" = --plan ] && sed -i 's/"llmproxy": "[^"]*"/"llmproxy": "0.0.1"/' "$word"; previous=$word; done
exec ${BINARY} "$@"
`,
      );
      expect(await failed('--executor-binary', older, '--', log, '-o', join(place, 'c/'))).toMatchObject({
        status: 1,
        said: expect.stringMatching(
          /it was made by llmproxy 0\.0\.1, and this is .*; run all stages with the same version/,
        ),
      });
    },
    LIMIT_MS,
  );

  test(
    'leaves no manifest',
    async () => {
      const out = join(place, 'd');
      const changing = script(
        join(place, 'changing'),
        `#!/bin/sh
case "$*" in *"--stage render"*) echo >> ${log} ;; esac
exec ${BINARY} "$@"
`,
      );
      expect(await failed('--executor-binary', changing, '--', log, '-o', `${out}/`)).toMatchObject({
        status: 1,
        said: expect.stringContaining(`${log}: it has changed since the plan was made`),
      });
      expect(readdirSync(out)).not.toContain('manifest.json');
    },
    LIMIT_MS,
  );
});
