/**
 * Rows that affect each other are decided on together, however they are partitioned: one log for each kind of relation.
 */
import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { logDirectory } from '../../helpers/log-directory.ts';
import { answered, asked, chat, feedback, line, user } from '../records.ts';
import { comparable, inExchange, inOneProcess, inStages } from './engine.ts';
import { random } from './logs.ts';

const system = (content: string) => ({ role: 'system', content });
const says = (content: string) => ({ role: 'assistant', content });
const answer = (content: string) => ({ response: answered({ content }) });
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** A conversation without its last answers, logged at once. */
function window(words: readonly string[], more: object = {}): string {
  const messages = words.slice(0, -1).map((word, at) => (at % 2 === 0 ? user(word) : says(word)));
  return line({ request: chat(messages), ...answer(words.at(-1)!), ...more });
}

interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly flags: string;
  /** 1 KB by default; loading the token counter takes each process a moment. */
  readonly rangeSize?: string;
  /** Why rows are left out, to prove that the log contains what it must. */
  readonly left: Readonly<Record<string, number>>;
}

const CASES: Readonly<Record<string, Case>> = {
  'equal prompts without a user, whose answers differ': {
    files: {
      'a.ndjson': numbers(12)
        .map((n) => line({ request: chat([system('Write a poem')]), ...answer(`Poem ${n}`) }))
        .join(''),
    },
    flags: '-f text --dedup prompt',
    left: { duplicate: 11 },
  },
  'a conversation that begins with the answer to a prompt without a user': {
    files: {
      'a.ndjson': numbers(8)
        .map(
          (n) =>
            line({ request: chat([system('Begin')]), ...answer(`Welcome ${n}`) }) +
            line({
              request: chat([system('Begin'), says(`Welcome ${n}`), user(`Q ${n}`)]),
              ...answer('Yes'),
            }),
        )
        .join(''),
    },
    flags: '-f text',
    left: { continued: 8 },
  },
  'different beginnings that become equal after redaction': {
    files: {
      'a.ndjson': numbers(12)
        .map((n) =>
          line({
            request: chat([
              system(n % 2 ? 'Mail x@example.com' : 'Mail y@example.com'),
              user(`I am user${n}@example.com`),
            ]),
            ...answer('Hello'),
          }),
        )
        .join(''),
    },
    flags: '-f trl --redact email',
    left: { duplicate: 11 },
  },
  'conversations that begin with an answer that is not in the log': {
    files: {
      'a.ndjson': numbers(12)
        .map((n) => {
          const turns = ['Set up', 'Got it', `Q ${n}`, 'A'];
          return window(turns) + window([...turns, 'R', 'B']);
        })
        .join(''),
    },
    flags: '-f trl',
    left: { continued: 12 },
  },
  'different beginnings that are cut off because they are too long': {
    files: {
      'a.ndjson': numbers(12)
        .map((n) => window([`Begin ${n} ${'apple '.repeat(60)}`, 'Yes', 'And now?', 'Done']))
        .join(''),
    },
    flags: '-f trl --max-tokens 40 --on-long trim-oldest --count-tokens --unlogged-turns keep',
    rangeSize: '4KB',
    left: { duplicate: 11 },
  },
  'conversations whose longest record comes first, next to a trimmed one': {
    files: {
      'a.ndjson':
        numbers(10)
          .map((n) => window([`Q ${n}`, 'A', `R ${n}`, 'B']) + window([`Q ${n}`, 'A']))
          .join('') + window(['apple '.repeat(60), 'Yes', 'Then?', 'Done']),
    },
    flags: '-f trl --max-tokens 60 --on-long trim-oldest --count-tokens --unlogged-turns keep',
    rangeSize: '4KB',
    left: {},
  },
  'feedback on the same answer in another conversation': {
    files: {
      'a.ndjson':
        numbers(12)
          .map((n) => asked(`r${n}`, `Question ${n % 3}`, 'No', { conversation: `c${n}`, key: 'web' }))
          .join('') +
        numbers(3)
          .map((n) => feedback(`r${n}`, { score: -1 }, { key: 'web' }))
          .join(''),
    },
    flags: '-f trl --dedup none',
    left: { score: 12 },
  },
  'a correction that makes an answer the same as another': {
    files: {
      'a.ndjson':
        numbers(6)
          .map((n) => asked(`r${n}`, 'One question', n === 0 ? 'Right' : `Wrong ${n}`, { key: 'web' }))
          .join('') +
        numbers(6)
          .map((n) => feedback(`r${n}`, { correction: 'Right' }, { key: 'web' }))
          .join(''),
    },
    flags: '-f trl --corrections',
    left: { duplicate: 5 },
  },
  'regenerated answers far apart': {
    files: {
      'a.ndjson': [
        ...numbers(5).map((n) => asked(`r${n}`, 'Tell me', `Try ${n}`, { conversation: 'c' })),
        ...numbers(40).map((n) => asked(`x${n}`, `Other ${n}`, 'Fine')),
        line({
          request: chat([user('Tell me'), says('Try 3'), user('Thanks')]),
          ...answer('Sure'),
          conversation: 'c',
        }),
      ].join(''),
    },
    flags: '-f trl-dpo',
    left: {},
  },
  'lines of two workers that are ordered by their clocks': {
    files: Object.fromEntries(
      [1, 2].map((worker) => [
        `llmproxy-2026-11-20.w${worker}.ndjson`,
        numbers(30)
          .map((n) => {
            // The second file repeats what the first asks 20 s later, when its clock has sometimes run back: its lines
            // keep their order.
            const ms =
              Date.UTC(2026, 10, 20) + 10_000 * n - (worker === 1 && n % 10 > 5 ? 90_000 : 0) + worker;
            return asked(`w${worker}-${n}`, `Question ${(worker === 1 ? n : n + 2) % 20}`, 'Same', {
              ts: new Date(ms).toISOString(),
              model: `m${worker}`,
            });
          })
          .join(''),
      ]),
    ),
    flags: '-f trl --metadata min',
    left: { duplicate: 40 },
  },
};

describe.each(Object.entries(CASES))('%s', (_name, { files, flags, left, rangeSize = '1KB' }) => {
  test.each([
    ['an engine', inStages],
    ['a directory', inExchange],
  ] as const)(
    'are decided on by %s as in one process',
    async (_way, run) => {
      await using dir = await logDirectory();
      const logs = `${dir.path}/logs`;
      mkdirSync(logs);
      for (const [name, text] of Object.entries(files)) writeFileSync(`${logs}/${name}`, text);
      const argv = [logs, ...flags.split(' ')];
      const one = await inOneProcess(argv, `${dir.path}/one`);
      expect(one.report.filtered).toEqual(left);
      const seen = ({ report, rows }: typeof one) => ({
        report: comparable(report),
        rows: rows.train!.split('\n').toSorted(),
      });
      for (const seed of rangeSize === '1KB' ? [1, 2, 3] : [1]) {
        const division = { rangeSize, partitions: 9, random: random(seed) };
        const many = await run(argv, `${dir.path}/many-${seed}`, division);
        expect(seen(many)).toEqual(seen(one));
      }
    },
    60_000,
  );
});
