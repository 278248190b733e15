import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Fold } from '../../src/pipeline/lanes/lane.ts';
import type { Block, LineEnd } from './events.ts';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { folded } from '../helpers/steps.ts';
import { cutAt, cuts, together } from './cuts.ts';
import { block, lineEnds, read, streamOf } from './events.ts';

function folding(choices = 1): { tap: Tap; fold: Fold } {
  const passing = passingOf('chat');
  const tap = new Tap(passing, Infinity, choices);
  return { tap, fold: new RelayFold(tap, 'a/m', passing.terminator) };
}

/** What the client receives for these pieces, to the end of the stream. */
function relayed(pieces: readonly Uint8Array[], { fold } = folding()): Buffer {
  return Buffer.from(together([...pieces.map((piece) => folded(fold.push(piece))), folded(fold.end())]));
}

const chunk = (delta: object, finish: string | null = null, index = 0) =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index, delta, finish_reason: finish }],
  });
const USAGE = JSON.stringify({ id: 'c', choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } });

const content = fc.constantFrom('', 'Hi', ' 漢👋🏽', 'é'.repeat(9), 'data: [DONE]\n\n', '{"a":', '\r\n\r\n');
const delta = fc.oneof(
  content.map((text) => ({ content: text })),
  fc.constantFrom({ role: 'assistant' }, { reasoning_content: 'hm' }),
);
type Lines = readonly string[];

/** The lines of an event, of a comment, or of an event without data, all of them valid. */
const good: fc.Arbitrary<Lines> = fc.oneof(
  { arbitrary: delta.map((each) => [`data: ${chunk(each)}`]), weight: 6 },
  fc.constantFrom(
    [': keep-alive'],
    ['event: ping'],
    ['data: {', `data: "choices":[]}`],
    [`data:${USAGE}`, ': hm'],
  ),
);
/** The lines of an event that is not a JSON object. */
const bad = fc.constantFrom<Lines[]>(
  ['data: oops'],
  ['data:'],
  ['data: {"choices":'],
  ['data: [1]'],
  ['data: null'],
  ['data: "x"', ': hm'],
  ['event: x', 'data: {}', 'data: {}'],
);

/** The lines that complete an answer: its last finish reason, usage and the terminator. */
const END = [[`data: ${chunk({}, 'stop')}`], [`data: ${USAGE}`], ['data: [DONE]']];
const inBlocks = (lines: readonly Lines[], end: LineEnd): Block[] => lines.map((each) => block(each, end));
const answers = fc.array(good, { maxLength: 8 }).map((lines) => [...lines, ...END]);

/** The bytes without differences in line ends and blank lines, which have no meaning. */
const plainly = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString()
    .replaceAll(/\r\n|\r/g, '\n')
    .replaceAll(/\n{2,}/g, '\n\n')
    .replace(/^\n+/, '');

describe('the relay', () => {
  /** @param places where to cut a stream of this length */
  const passes = (lineEnd: fc.Arbitrary<LineEnd>, places: (length: number, any: number[]) => number[]) =>
    fc.assert(
      fc.property(answers, lineEnd, fc.boolean(), cuts, (lines, end, bom, any) => {
        const { bytes } = streamOf(inBlocks(lines, end), bom);
        const { tap, fold } = folding();
        const pieces = cutAt(bytes, places(bytes.length, any));
        expect(relayed(pieces, { tap, fold })).toEqual(Buffer.from(bytes));
        expect(tap).toMatchObject({ malformed: 0, done: true, finished: true });
      }),
      { numRuns: 300 },
    );

  test('passes every byte on unchanged, however the stream is cut', () => {
    passes(fc.constantFrom('\n', '\r'), (_, any) => any);
    // A cut in the very last CRLF has a test of its own.
    passes(fc.constant('\r\n'), (length, any) => any.filter((place) => place % (length + 1) !== length - 1));
  });

  test('passes every byte on unchanged when the last CRLF is cut in two', () => {
    passes(fc.constant('\r\n'), (length, any) => [...any, length - 1]);
  });

  /** Of these events mixed with invalid ones, the client receives exactly these. */
  const leavesOut = (kept: fc.Arbitrary<Lines>) => {
    const as = (ok: boolean) => (lines: Lines) => ({ ok, lines });
    const mixed = fc.array(fc.oneof(kept.map(as(true)), bad.map(as(false))));
    fc.assert(
      fc.property(mixed, lineEnds, fc.boolean(), cuts, (list, end, bom, places) => {
        const streamed = (events: typeof list, begins: boolean) =>
          streamOf(inBlocks([...events.map(({ lines }) => lines), ...END], end), begins).bytes;
        const goods = list.filter(({ ok }) => ok);
        // A byte order mark belongs to the event that follows it.
        const wanted = streamed(goods, bom && (list[0]?.ok ?? true));
        const { tap, fold } = folding();
        const got = relayed(cutAt(streamed(list, bom), places), { tap, fold });
        expect(plainly(got)).toBe(plainly(wanted));
        // A cut within a CRLF leaves the LF of a removed event: another blank line, which has no meaning.
        if (end !== '\r\n') expect(got).toEqual(Buffer.from(wanted));
        expect(tap.malformed).toBe(list.length - goods.length);
      }),
      { numRuns: 500 },
    );
  };

  test('leaves out events that are not JSON and nothing else, and counts them', () => {
    leavesOut(good);
  });

  test('leaves them out after a byte order mark in the middle of the stream too', () => {
    leavesOut(fc.oneof(good, fc.constant(['\ufeffdata: {"choices":[]}'])));
  });

  const cutOff = (choices: number, ends: readonly Lines[]) =>
    fc.property(fc.array(good), lineEnds, cuts, fc.nat(2_000), (lines, end, places, place) => {
      const { bytes } = streamOf(inBlocks([...lines, ...ends], end));
      // The last finish reason has arrived when its JSON is complete: everything but the blank line.
      const whole = bytes.slice(0, place % (bytes.length - 2 * end.length));
      const { tap, fold } = folding(choices);
      const got = relayed(cutAt(whole, places), { tap, fold });
      expect(read([got]).some(({ data }) => data === '[DONE]')).toBe(false);
      expect([tap.done, tap.finished]).toEqual([false, false]);
    });

  test('adds no [DONE] to a stream that is cut before its finish reason', () => {
    fc.assert(cutOff(1, [[`data: ${chunk({}, 'stop')}`]]), { numRuns: 300 });
  });

  test('adds no [DONE] to a stream that is cut before the last of several finish reasons', () => {
    const ends = [[`data: ${chunk({}, 'stop')}`], [`data: ${chunk({ content: 'x' }, 'stop', 1)}`]];
    fc.assert(cutOff(2, ends), { numRuns: 300 });
  });

  test('ends a stream that is cut after its finish reason with one [DONE]', () => {
    fc.assert(
      fc.property(fc.array(good), lineEnds, cuts, fc.nat(1_000), (lines, end, places, place) => {
        const before = streamOf(inBlocks([...lines, END[0]!], end)).bytes;
        const { bytes } = streamOf(inBlocks([...lines, ...END], end));
        const finished = before.length - 2 * end.length;
        const whole = bytes.slice(0, finished + (place % (bytes.length - finished + 1)));
        const { tap, fold } = folding();
        const events = read([relayed(cutAt(whole, places), { tap, fold })]);
        expect(events.filter(({ data }) => data === '[DONE]')).toHaveLength(1);
        expect([events.at(-1)!.data, tap.done]).toEqual(['[DONE]', true]);
      }),
      { numRuns: 300 },
    );
  });
});
