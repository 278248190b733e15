/**
 * Tests of the fuzzer itself: its cases are the same for the same seed, and it finds the problems that it must find.
 */
import { describe, expect, test } from 'bun:test';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { Ask } from './answers.ts';
import type { Got } from './client.ts';
import type { Plan } from './draft-answer.ts';
import { HTTP_ENDPOINTS } from '../../src/wire/endpoints.ts';
import { Dice } from '../simulate/dice.ts';
import { soundAnswer } from './answers.ts';
import { makeCase } from './case.ts';
import { draftAnswer, planOf } from './draft-answer.ts';
import { LANES } from './lanes.ts';
import { problemsOf } from './oracle.ts';
import { placesIn, treeOf, writeTree } from './tree.ts';

const ASK: Ask = { path: '/v1/chat/completions', body: {}, stream: true };
const cases = Array.from({ length: 2_000 }, (_, number) => makeCase(1, number, 0));

test('makeCase() makes the same case for the same seed and number', () => {
  for (let number = 0; number < 200; number += 1) {
    const [one, other] = [makeCase(7, number, 0), makeCase(7, number, 0)];
    expect(Buffer.concat(one.sending.pieces).equals(Buffer.concat(other.sending.pieces))).toBeTrue();
    expect(one.plan?.(ASK, 0)).toEqual(other.plan?.(ASK, 0));
    expect(one.done).toEqual(other.done);
  }
});

test('makeCase() covers every endpoint, every provider and both sides', () => {
  expect(new Set(cases.map(({ endpoint }) => endpoint))).toEqual(new Set(HTTP_ENDPOINTS));
  expect(new Set(cases.map(({ lane }) => lane.name)).size).toBe(LANES.length);
  expect(new Set(cases.map(({ side }) => side)).size).toBe(2);
});

test('writeTree() writes the value that treeOf() was given', () => {
  const value = { a: [1, 'é\u2028', null, { b: {} }], c: true };
  expect(JSON.parse(writeTree(treeOf(value)))).toEqual(value);
  expect(placesIn(treeOf(value)).length).toBe(7);
});

describe('problemsOf()', () => {
  const fuzzed = cases.find(
    ({ side, endpoint, stream, lane }) =>
      side === 'answer' && endpoint === 'chat' && stream && lane.name === 'openai',
  )!;
  const sound = soundAnswer(ASK, new Dice(1, 'test'));
  const whole = planOf(draftAnswer(sound, true), sound.text);
  const half = planOf(
    { ...draftAnswer(sound, true), cut: { at: 0.5, how: 'fin' }, harmless: false },
    sound.text,
  );
  const record = { outcome: 'success', status: 200, fault: null, error: null, latency_ms: 1, lane: 'relay' };
  const problems = async (plan: Plan, got: Partial<Got> = {}, records: object[] = [record]) =>
    await problemsOf(fuzzed, {
      got: {
        status: 200,
        headers: new Map([
          ['content-type', 'text/event-stream'],
          ['x-request-id', fuzzed.id],
          ['x-llmproxy-attempts', '1'],
        ]),
        body: plan.body,
        complete: true,
        left: false,
        hung: false,
        ms: 5,
        ...got,
      },
      asked: [{ ask: ASK, plan }],
      records: records as ReadRecord[],
    });

  test('finds no problem in a valid answer', async () => {
    expect(whole.sound).toBeTrue();
    expect(await problems(whole)).toEqual([]);
  });

  test.each<[what: string, found: Promise<string[]>, problem: RegExp]>([
    ['looks finished although it was cut', problems(half), /looks finished although it is cut/],
    [
      'ends without its terminator',
      problems(half, { body: half.body.subarray(0, 0) }),
      /without its terminator/,
    ],
    ['is recorded twice', problems(whole, {}, [record, record]), /2 records/],
    ['is not recorded', problems(whole, {}, []), /no record/],
    [
      'has a record that differs',
      problems(whole, {}, [{ ...record, outcome: 'truncated' }]),
      /the record says truncated/,
    ],
    ['hangs', problems(whole, { hung: true }), /no answer/],
    ['is a defect', problems(whole, {}, [{ ...record, outcome: 'error', fault: 'internal' }]), /a defect/],
    ['lost words', problems(whole, { body: Buffer.from('data: [DONE]\n\n') }), /a sound answer says ""/],
  ])('finds an answer that %s', async (_, found, problem) => {
    expect((await found).join('\n')).toMatch(problem);
  });
});
