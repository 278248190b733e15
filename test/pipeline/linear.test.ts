import { expect, test } from 'bun:test';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/passing.ts';
import { Tap } from '../../src/pipeline/tap.ts';
import { Joiner } from '../../src/wire/join.ts';
import { SseReader } from '../../src/wire/sse.ts';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';

const MANY = 60_000;

/** Each takes some ten times as long where the work is the square of what comes. */
test.each([
  [
    'chunks with signed reasoning',
    () => {
      const assembler = chatAssembler();
      const delta = { reasoning_details: [{ type: 'reasoning.text', text: 'x' }] };
      for (let n = 0; n < MANY; n += 1) assembler.push({ choices: [{ index: 0, delta }] });
    },
  ],
  [
    'events of which one is no JSON',
    () => {
      const tap = new Tap(passingOf('chat'), Infinity, 1);
      const good = 'data: {"choices":[{"delta":{"content":"abc"}}]}\n\n';
      new RelayFold(tap, 'a/m', '').push(new TextEncoder().encode(`${good.repeat(MANY)}data: {\n\n`));
    },
  ],
  [
    'pieces of one event that is long',
    () => {
      const event = new TextEncoder().encode(`data: {"choices":[],"x":"${'x'.repeat(32 * 1024 ** 2)}"}\n\n`);
      const tap = new Tap(passingOf('chat'), Infinity, 1);
      const fold = new RelayFold(tap, 'a/m', '');
      const reader = new SseReader();
      let events = 0;
      for (let at = 0; at < event.length; at += 4_096) {
        fold.push(event.subarray(at, at + 4_096));
        events += reader.push(event.subarray(at, at + 4_096)).length;
      }
      expect([tap.chunks, events]).toEqual([1, 1]);
    },
  ],
  [
    'a continuation of a text that repeats itself',
    () => {
      const joiner = new Joiner('a'.repeat(MANY), { minOverlap: 4 });
      for (let n = 0; n <= MANY; n += 1) joiner.push('a');
    },
  ],
])('%s take no more than their share of time', (_, work) => {
  const beganMs = performance.now();
  work();
  expect(performance.now() - beganMs).toBeLessThan(3_000);
});
