/** A log that several workers wrote is read as one log, although each worker has its own files. */
import { describe, expect, test } from 'bun:test';
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { sideBySide } from '../../../src/logs/side-by-side.ts';
import { answered, asked, chat, feedback, line, user } from '../records.ts';
import { workshop } from '../workshop.ts';

const ONE = 'llmproxy-2026-11-23.w1.ndjson';
const TWO = 'llmproxy-2026-11-23.w2.ndjson';

/** A time of the day, in the order of the numbers. */
const at = (minute: number) => ({ ts: new Date(Date.UTC(2026, 10, 23, 10, minute)).toISOString() });

const answers = (rows: readonly { messages: { content: string }[] }[]) =>
  rows.map(({ messages }) => messages.at(-1)!.content);

/** A unique question and its answer. */
const told = (minute: number, more: object = {}) =>
  asked(`r${minute}`, `What is ${minute}?`, `It is ${minute}.`, { ...at(minute), ...more });

describe('sideBySide()', () => {
  const of = (...paths: string[]) => sideBySide(paths.map((path) => ({ name: path, path, bytes: 0 })));

  test('groups the files that several workers wrote on one day', () => {
    const next = 'd/llmproxy-2026-11-24.w1.ndjson';
    expect(of(`d/${ONE}`, 'd/llmproxy-2026-11-23.w1.1.ndjson.zst', `d/${TWO}.gz`, 'a.log', next)).toEqual({
      groups: [0, 0, 0, 3, 4],
      hands: [0, 0, 2, 3, 4],
      workers: 2,
    });
  });

  test('groups the files that several machines wrote on one day, by the names of uploaded files', () => {
    const at = (day: string, name: string) => `s3://b/p/date=${day}/${name}`;
    expect(
      of(
        at('2026-11-23', 'pod-1-llmproxy-2026-11-23-0123456789ab.ndjson.zst'),
        at('2026-11-23', 'pod-1-llmproxy-2026-11-23.1-1123456789ab.ndjson.zst'),
        at('2026-11-23', 'pod-2-llmproxy-2026-11-23-2123456789ab.ndjson.zst'),
        at('2026-11-24', 'pod-2-llmproxy-2026-11-24.w1-3123456789ab.ndjson'),
        at('2026-11-24', 'pod-2-llmproxy-2026-11-24.w2-4123456789ab.ndjson'),
      ),
    ).toEqual({ groups: [0, 0, 0, 3, 3], hands: [0, 0, 2, 3, 4], workers: 2 });
  });

  test('groups nothing for a single process, different days or different directories', () => {
    expect(of('d/llmproxy-2026-11-23.ndjson', 'd/llmproxy-2026-11-23.1.ndjson', 'a.log')).toBeUndefined();
    expect(of(`d/${ONE}`, 'd/llmproxy-2026-11-24.w2.ndjson', `e/${TWO}`)).toBeUndefined();
    expect(of()).toBeUndefined();
  });
});

describe('a log of several workers', () => {
  test('is read in the order in which it was written', async () => {
    await using shop = await workshop({
      [ONE]: told(0) + told(3) + told(4),
      [TWO]: gzipSync(told(1) + told(2) + told(5)),
      'llmproxy-2026-11-24.w1.ndjson': told(7),
      'llmproxy-2026-11-22.w2.ndjson': told(9),
    });
    await shop.run();
    const order = [9, 0, 1, 2, 3, 4, 5, 7].map((minute) => `It is ${minute}.`);
    expect(answers(shop.rows())).toEqual(order);
    await shop.run('--last 3 --force');
    expect(answers(shop.rows())).toEqual(order.slice(-3));
    await shop.run('--max-records 3 --force');
    expect(answers(shop.rows())).toEqual(order.slice(0, 3));
    await shop.run('--format raw --export-all --max-records 3 --force');
    expect((shop.rows() as unknown as { id: string }[]).map(({ id }) => id)).toEqual(['r9', 'r0', 'r1']);
  });

  test('orders records by their end, and keeps the order within a file', async () => {
    // The second lines have times before the first: clocks are set back, and large lines are delayed.
    await using shop = await workshop({
      [ONE]: told(10, { latency_ms: 600_000 }) + told(5),
      [TWO]: told(15) + told(30),
    });
    await shop.run();
    expect(answers(shop.rows())).toEqual([15, 10, 5, 30].map((minute) => `It is ${minute}.`));
  });

  test('joins conversations whose records are in several files', async () => {
    const says = (content: string) => ({ role: 'assistant', content });
    const talk = (minute: number, ...turns: string[]) =>
      line({
        ...at(minute),
        conversation: 'c',
        request: chat(turns.slice(0, -1).map((text, n) => (n % 2 === 0 ? user(text) : says(text)))),
        response: answered({ content: turns.at(-1) }),
      });
    await using shop = await workshop({
      [ONE]: talk(1, 'a', 'b') + talk(3, 'a', 'b', 'c', 'd', 'e', 'f'),
      [TWO]: talk(2, 'a', 'b', 'c', 'd'),
    });
    await shop.run();
    const [row, ...others] = shop.rows() as { messages: { content: string; weight?: number }[] }[];
    expect(others).toEqual([]);
    expect(row!.messages.map(({ content }) => content).join('')).toBe('abcdef');
    expect(row!.messages.some(({ weight }) => weight === 0)).toBe(false);
  });

  test('uses the latest feedback, whichever worker wrote it', async () => {
    const said = (minute: number, label: string, score: number) => feedback(label, { score }, at(minute));
    await using shop = await workshop({
      [ONE]: told(0) + said(10, 'r1', -1) + said(13, 'r0', 1),
      [TWO]: told(1) + said(11, 'r1', 1) + said(12, 'r0', -1),
    });
    await shop.run('--min-score 0.5');
    expect(answers(shop.rows())).toEqual(['It is 0.', 'It is 1.']);
  });

  test('keeps its rows in their splits when all files grow', async () => {
    // The record that connects two beginnings comes late: a row that was already in a split must not follow it.
    const tied = (minute: number, session: number) => told(minute, { conversation: `s${session}` });
    const early = Array.from({ length: 40 }, (_, n) => n);
    await using shop = await workshop({
      [ONE]: early
        .filter((n) => n % 2 === 0)
        .map((n) => tied(n, n))
        .join(''),
      [TWO]: early
        .filter((n) => n % 2 === 1)
        .map((n) => tied(n, n))
        .join(''),
    });
    const sides = async () => {
      await shop.run(`--split train=0.5,validation=0.5 -o ${shop.path('out/')}`);
      const files = readdirSync(shop.path('out'), { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('.jsonl'),
      );
      const found = files.flatMap((file) =>
        readFileSync(shop.path(`out/${file}`), 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((row) => [/It is \d+/.exec(row)![0], /train/.test(file)] as const),
      );
      rmSync(shop.path('out'), { recursive: true });
      return new Map(found);
    };
    const before = await sides();
    expect(before.size).toBe(40);
    for (const n of early) appendFileSync(shop.path(`logs/${ONE}`), tied(100 + n, n));
    const after = await sides();
    expect([...before].filter(([answer, side]) => after.get(answer) !== side)).toEqual([]);
  });
});

test('near duplicates are found across the files of workers', async () => {
  const long = (n: number) => Array.from({ length: 60 }, (_, word) => `w${n}x${word}`).join(' ');
  const ask = (minute: number, n: number) =>
    line({
      ...at(minute),
      request: chat([user(`${long(n)} ${minute}`)]),
      response: answered({ content: `${long(n + 100)} ${minute}` }),
    });
  const numbers = Array.from({ length: 30 }, (_, n) => n);
  await using shop = await workshop({
    [ONE]: numbers.map((n) => ask(2 * n + 1, n)).join(''),
    [TWO]: numbers.map((n) => ask(2 * n, n)).join(''),
  });
  await shop.run('--near-dup 0.8');
  // The earlier one of each pair, which is in the file that is read last.
  expect(answers(shop.rows()).map((answer) => answer.split(' ').at(-1))).toEqual(
    numbers.map((n) => `${2 * n}`),
  );
});
