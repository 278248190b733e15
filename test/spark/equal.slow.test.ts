/**
 * An export on Spark writes the same as one process, whatever the logs, flags and partitions, and even if
 * tasks die.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';
import { SPARK_PYTHON, SparkExports } from '../helpers/spark.ts';
import { outcomeIn } from './outcome.ts';
import { random } from '../export/stages/logs.ts';
import { flagsOf, writeLogs } from '../export/stages/random-export.ts';

const FLAKY = join(import.meta.dir, 'flaky.sh');
const SEEDS = Number(process.env.LLMPROXY_TEST_SEEDS ?? 40);
const FIRST = Number(process.env.LLMPROXY_TEST_SEED ?? 1);

/** Flags that random selection may miss. */
const ALWAYS: readonly (readonly string[])[] = [
  ['-f', 'trl'],
  ['-f', 'trl-dpo'],
  ['-f', 'openai', '--split', 'train=0.7,validation=0.3'],
  ['-f', 'kto', '--corrections'],
  ['-f', 'openai', '--max-tokens', '60', '--on-long', 'trim-oldest'],
];

// Takes more than two minutes, so only `make check-scale` runs it.
describe.skipIf(SPARK_PYTHON === null || process.env.LLMPROXY_TEST_SCALE !== '1')('exports on Spark', () => {
  let spark: SparkExports;
  let place: string;

  beforeAll(async () => {
    built();
    place = folder();
    mkdirSync(join(place, 'marks'));
    const env = { FLAKY_BINARY: BINARY, FLAKY_MARKS: join(place, 'marks') };
    // Two tasks at a time, each of which may die three times.
    spark = await SparkExports.start('local[2,4]', join(place, 'spark.log'), env);
  }, 600_000);
  afterAll(async () => {
    await spark?.[Symbol.asyncDispose]();
    cleared();
  }, 60_000);

  test.each(Array.from({ length: SEEDS }, (_, at) => FIRST + at))(
    'are the same, seed %d',
    async (seed) => {
      const chances = random(seed);
      const logs = join(place, `logs-${seed}`);
      writeLogs(logs, seed, chances);
      const files = readdirSync(logs).map((name) => join(logs, name));
      const inputs = chances.chance(0.5) ? files : files.toReversed();
      const flags = ALWAYS[seed - 1] ?? flagsOf(chances);
      const [one, many] = [join(place, `one-${seed}/`), join(place, `many-${seed}/`)];
      const { code, err } = run(place, 'export', ...inputs, ...flags, '-q', '-o', one);
      // The flags exclude each other.
      if (code === 2) return;
      expect([code, code === 0 ? '' : err]).toEqual([0, '']);
      const size = chances.pick(['10KB', '50KB', '1MB']);
      const division = ['--range-size', size, '--partitions', String(1 + chances.below(6))];
      const args = [...inputs, ...flags, ...division, '-o', many];
      const { status, said } = await spark.run('--binary', FLAKY, '--', ...args);
      if (said.includes('with --stage')) return;
      const name = `${flags.join(' ')} ${division.join(' ')}`;
      expect({ name, failure: status === 0 ? '' : said }).toEqual({ name, failure: '' });
      expect({ name, ...outcomeIn(many) }).toEqual({ name, ...outcomeIn(one) });
    },
    600_000,
  );
});
