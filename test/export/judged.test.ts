import { describe, expect, test } from 'bun:test';
import type { LogRecord } from '../../src/logs/record.ts';
import { encodeRecord } from '../../src/logs/record.ts';
import { logRecord } from '../helpers/log-record.ts';
import { answered, chat, line, user } from './records.ts';
import { workshop } from './workshop.ts';

/** A line of feedback about a request. */
function feedback(about: string, said: object, more: Partial<LogRecord> = {}): string {
  const {
    request: _request,
    response: _response,
    ...record
  } = logRecord({ endpoint: 'feedback', status: 202, finish: null, ...more });
  const { v, ts, id, outcome, status, endpoint, ...rest } = record;
  return encodeRecord({
    v,
    ts,
    id,
    outcome,
    status,
    endpoint,
    feedback: { request_id: about, ...said },
    ...rest,
  } as LogRecord);
}

const asked = (id: string, prompt: string, content: string, more: object = {}) =>
  line({ id, request: chat([user(prompt)]), response: answered({ content }), ...more });

interface Pair {
  readonly prompt: { content: string }[];
  readonly chosen?: { content: string }[];
  readonly rejected?: { content: string }[];
  readonly completion?: { content: string }[];
  readonly label?: boolean;
}

const rowsOf = (shop: { rows: () => unknown[] }) => shop.rows() as Pair[];
const pair = ({ prompt, chosen, rejected }: Pair) => [
  prompt.at(-1)!.content,
  chosen![0]!.content,
  rejected![0]!.content,
];

describe('feedback', () => {
  test('decides by --min-score, and only what the same key said', async () => {
    const log =
      asked('1', 'a', 'good') +
      asked('2', 'b', 'bad') +
      asked('3', 'c', 'silent') +
      asked('4', 'd', 'praised by another') +
      feedback('1', { score: 1 }) +
      feedback('2', { score: 1 }) +
      feedback('2', { label: false, score: -0.5 }) +
      feedback('4', { score: 1 }, { key: 'other' }) +
      feedback('none', { score: 1 });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--min-score 0.5');
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['good']);
    expect(report.filtered).toEqual({ score: 3 });
    expect(report.feedback).toEqual({ lines: 5, unmatched: 1, foreign: 1 });
  });

  test('corrects answers with --corrections, and drops them without', async () => {
    const log = asked('1', 'a', 'wrong') + asked('2', 'b', 'right') + feedback('1', { correction: 'better' });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run();
    expect([report.kept, report.dropped.corrected?.count]).toEqual([1, 1]);
    await shop.run('--corrections --force');
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['better', 'right']);
  });

  test('that an answer was bad keeps it from being trained in a longer conversation', async () => {
    const more = line({
      id: '2',
      request: chat([user('a'), { role: 'assistant', content: 'bad' }, user('b')]),
      response: answered({ content: 'fine' }),
    });
    await using shop = await workshop({
      'a.ndjson': asked('1', 'a', 'bad') + more + feedback('1', { label: false }),
    });
    await shop.run();
    const [row] = shop.rows() as unknown as { messages: { weight?: number }[] }[];
    expect(row!.messages[1]!.weight).toBe(0);
  });

  test('makes pairs: a correction with what it corrects, the best rated with those worse', async () => {
    const log =
      asked('1', 'a', 'wrong') +
      asked('2', 'b', 'best') +
      asked('3', 'b', 'worse') +
      asked('4', 'b', 'unrated') +
      feedback('1', { correction: { role: 'assistant', content: 'better' } }) +
      feedback('2', { score: 0.9 }) +
      feedback('3', { label: false });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-dpo');
    expect(rowsOf(shop).map(pair)).toEqual([
      ['a', 'better', 'wrong'],
      ['b', 'best', 'worse'],
    ]);
    expect(report.dropped.no_pair?.count).toBe(1);
  });

  test('makes labels', async () => {
    const log =
      asked('1', 'a', 'good') +
      asked('2', 'b', 'bad') +
      asked('3', 'c', 'wrong') +
      asked('4', 'd', 'unknown') +
      feedback('1', { label: true }) +
      feedback('2', { score: -1 }) +
      feedback('3', { correction: 'right' });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f kto');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label])).toEqual([
      ['good', true],
      ['bad', false],
      ['wrong', false],
      ['right', true],
    ]);
    expect(report.dropped.no_judgement?.count).toBe(1);
  });

  test('is redacted like all else', async () => {
    const log =
      asked('1', 'I am a@b.com', 'wrong') + feedback('1', { correction: 'Hello a@b.com and c@d.org' });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo --redact email');
    expect(pair(rowsOf(shop)[0]!)).toEqual(['I am [EMAIL_1]', 'Hello [EMAIL_1] and [EMAIL_2]', 'wrong']);
  });
});

describe('regenerations', () => {
  const goOn = (prompt: string, answer: string, more: object = {}) =>
    line({
      request: chat([user(prompt), { role: 'assistant', content: answer }, user('and then?')]),
      response: answered({ content: 'more' }),
      ...more,
    });

  test('make pairs with the answer that the user went on from', async () => {
    const more = { conversation: 'k' };
    const log =
      asked('1', 'a', 'first', more) +
      asked('2', 'a', 'second', more) +
      asked('3', 'a', 'third', more) +
      goOn('a', 'third', more);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo --pairs regenerations');
    expect(rowsOf(shop).map(pair)).toEqual([
      ['a', 'third', 'first'],
      ['a', 'third', 'second'],
    ]);
    await shop.run('-f kto --force');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label])).toEqual([
      ['first', false],
      ['second', false],
      ['third', true],
    ]);
  });

  test('are not seen in two users who begin alike', async () => {
    const log = asked('1', 'hi', 'hello') + asked('2', 'hi', 'hey') + goOn('hi', 'hey');
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('-f trl-dpo')).report.kept).toBe(0);
    const named = (user: string, id: string, answer: string) => asked(id, 'hi', answer, { user });
    const apart = named('u1', '1', 'hello') + named('u2', '2', 'hey') + goOn('hi', 'hey', { user: 'u2' });
    await using other = await workshop({ 'a.ndjson': apart });
    expect((await other.run('-f trl-dpo')).report.kept).toBe(0);
  });
});
