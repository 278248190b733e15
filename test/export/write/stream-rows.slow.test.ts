import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { asked, feedback } from '../records.ts';
import { workshop } from '../workshop.ts';

const WORDS = 'many words '.repeat(1_000);
/** A log of several ranges, in which feedback on the first answer comes last. */
const LOG = [
  ...Array.from({ length: 1_500 }, (_, number) => asked(`req_${number}`, `${number} ${WORDS}`, 'Yes.')),
  feedback('req_0', { score: -1 }),
].join('');

const ALONE = '--feedback none --conversations turns --dedup none';

/** The bytes that had been read when the first rows were written, and the size of the log. */
async function firstRows(args: string) {
  await using shop = await workshop({ 'log.ndjson': LOG });
  let [read, first] = [0, -1];
  const summary = await shop.run(args, {
    onProgress: ({ bytes }) => void (read = bytes),
    onRows: () => void (first = first < 0 ? read : first),
  });
  return { first, summary, rows: readFileSync(shop.output, 'utf8') };
}

describe('rows that do not depend on later lines of the log', () => {
  test.each(['openai', 'trl-pc', 'mistral', 'together'])(
    'are written immediately, and the same as at the end: %s',
    async (format) => {
      const streamed = await firstRows(`-f ${format} ${ALONE}`);
      expect(streamed.first).toBeLessThan(LOG.length / 2);
      // The last rows of a log are only known at its end.
      const waited = await firstRows(`-f ${format} ${ALONE} --last 9999`);
      expect(waited.first).toBeGreaterThan(LOG.length / 2);
      expect(streamed.rows).toBe(waited.rows);
      const { argv: _argv, inputs: _inputs, outputs: _outputs, ...counts } = waited.summary.report;
      expect(streamed.summary.report).toMatchObject(counts);
    },
  );

  test('are written immediately up to the requested number', async () => {
    const { rows, summary } = await firstRows(`-f openai ${ALONE} --max-records 3`);
    expect(rows.split('\n')).toHaveLength(4);
    expect(summary).toMatchObject({ ended: 'max_records', report: { kept: 3 } });
    expect(summary.bytesRead).toBeLessThan(LOG.length / 2);
  });

  test.each([
    '-f openai --feedback none --conversations turns',
    '-f openai --feedback none --dedup none',
    '-f openai --conversations turns --dedup none',
    `-f openai ${ALONE} --near-dup 0.9`,
    `-f openai ${ALONE} --unlogged-turns drop`,
    `-f trl ${ALONE}`,
    `-f kto ${ALONE}`,
  ])('do not exist with %s', async (args) => {
    const { first } = await firstRows(args);
    expect(first === -1 || first > LOG.length / 2).toBe(true);
  });
});

describe('--feedback none', () => {
  const LINES = [asked('a', 'One?', 'Bad.'), asked('b', 'Two?', 'Good.'), feedback('a', { score: -1 })].join(
    '',
  );

  test('keeps badly rated answers, and counts the feedback as left out', async () => {
    await using shop = await workshop({ 'log.ndjson': LINES });
    expect((await shop.run('-f openai')).report).toMatchObject({ kept: 1, feedback: { lines: 1 } });
    const { report } = await shop.run('-f openai --feedback none --force');
    expect(report).toMatchObject({ kept: 2, feedback: { lines: 0 }, filtered: { ignored_feedback: 1 } });
  });

  test.each(['--corrections', '--min-score 0.5', '-f kto --pairs feedback'])('rejects %s', async (flags) => {
    await using shop = await workshop({ 'log.ndjson': LINES });
    await expect(shop.run(`--feedback none ${flags}`)).rejects.toThrow(
      /Cannot use --feedback none.*is about feedback/,
    );
  });
});
