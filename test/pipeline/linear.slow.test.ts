import { canonicalAssembler } from '../../src/wire/parts/assemble.ts';
import { expect, test } from 'bun:test';
import { LinesFold } from '../../src/pipeline/lanes/lines-fold.ts';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { Joiner } from '../../src/wire/join.ts';
import { SseReader } from '../../src/wire/sse.ts';
import { usedMs } from '../helpers/cpu.ts';
import { folded } from '../helpers/steps.ts';
import { chatAssembler } from '../../src/wire/openai/assemble.ts';

/** Sizes with a ratio of four: quadratic work takes sixteen times as long for the larger one. */
const SOME = 15_000;
const MORE = 4 * SOME;

/** The shortest processor time of several runs, milliseconds. */
function costMs(work: () => void): number {
  const tries = Array.from({ length: 3 }, () => {
    // Otherwise what earlier runs have left is collected in this one.
    Bun.gc(true);
    const beganMs = usedMs();
    work();
    return usedMs() - beganMs;
  });
  return Math.min(...tries);
}

/** How many times as long the second takes. What looks like too much is measured again: others use the processor too. */
function growth(some: () => void, more: () => void): number {
  let times = Infinity;
  for (let round = 0; round < 4 && times >= 10; round += 1)
    times = Math.min(times, costMs(more) / Math.max(costMs(some), 2));
  return times;
}

test.each<[string, (many: number) => void]>([
  [
    'chunks with signed reasoning',
    (many) => {
      const assembler = chatAssembler();
      const delta = { reasoning_details: [{ type: 'reasoning.text', text: 'x' }] };
      for (let n = 0; n < many; n += 1) assembler.push({ choices: [{ index: 0, delta }] });
    },
  ],
  [
    'alternating parts of reasoning, text and calls',
    (many) => {
      const assembler = canonicalAssembler();
      const said = (delta: object) => assembler.push({ choices: [{ index: 0, delta }] });
      for (let n = 0; n < many; n += 1) {
        said({ reasoning_content: 'x' });
        said({ content: 'y', annotations: [] });
      }
      assembler.result();
    },
  ],
  [
    'events, one of which is not JSON',
    (many) => {
      const tap = new Tap(passingOf('chat'), Infinity, 1);
      const good = 'data: {"choices":[{"delta":{"content":"abc"}}]}\n\n';
      folded(
        new RelayFold(tap, 'a/m', '').push(new TextEncoder().encode(`${good.repeat(many / 4)}data: {\n\n`)),
      );
    },
  ],
  [
    'pieces of one long event',
    (many) => {
      const event = new TextEncoder().encode(`data: {"choices":[],"x":"${'x'.repeat(many * 128)}"}\n\n`);
      const tap = new Tap(passingOf('chat'), Infinity, 1);
      const fold = new RelayFold(tap, 'a/m', '');
      const reader = new SseReader();
      let events = 0;
      for (let at = 0; at < event.length; at += 4_096) {
        folded(fold.push(event.subarray(at, at + 4_096)));
        events += reader.push(event.subarray(at, at + 4_096)).length;
      }
      expect([tap.chunks, events]).toEqual([1, 1]);
    },
  ],
  [
    'pieces of one long line',
    (many) => {
      const line = new TextEncoder().encode(
        `{"message":{"content":"${'x'.repeat(many * 128)}"},"done":false}\n`,
      );
      const tap = new Tap(passingOf('ollama.chat'), Infinity, 1);
      const fold = new LinesFold(new RelayFold(tap, 'a/m', ''));
      for (let at = 0; at < line.length; at += 32_768) folded(fold.push(line.subarray(at, at + 32_768)));
      expect(tap.chunks).toBe(1);
    },
  ],
  [
    'a continuation of repetitive text',
    (many) => {
      const joiner = new Joiner('a'.repeat(many), { minOverlap: 4 });
      for (let n = 0; n <= many; n += 1) joiner.push('a');
    },
  ],
])('%s take linear time', (_, work) => {
  // Compilation and garbage collection weigh more in the shorter run.
  work(SOME);
  expect(
    growth(
      () => work(SOME),
      () => work(MORE),
    ),
  ).toBeLessThan(10);
});

test('whether calls are broken is determined once, even if many choices end', () => {
  const tool_calls = Array.from({ length: 1_000 }, (_, index) => ({
    index,
    id: `call_${index}`,
    function: { name: 'f', arguments: JSON.stringify({ text: 'x'.repeat(1_000), index }) },
  }));
  const asked = (times: number) => {
    const assembler = chatAssembler();
    for (let index = 0; index < 8; index += 1)
      assembler.push({ choices: [{ index, delta: { tool_calls } }] });
    for (let n = 0; n < times; n += 1) expect(assembler.brokenCall).toBe(false);
    const delta = { tool_calls: [{ index: 0, function: { arguments: ',' } }] };
    assembler.push({ choices: [{ index: 3, delta }] });
    expect(assembler.brokenCall).toBe(true);
  };
  expect(
    growth(
      () => asked(1),
      () => asked(128),
    ),
  ).toBeLessThan(10);
});
