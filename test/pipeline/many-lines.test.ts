/** An event with a million lines that is not JSON and is left out of a relayed stream. */
import { expect, test } from 'bun:test';
import type { Folded } from '../../src/pipeline/lanes/lane.ts';
import type { Steps } from '../../src/turns.ts';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { isSteps } from '../../src/turns.ts';
import { SseReader } from '../../src/wire/sse.ts';
import { usedMs } from '../helpers/cpu.ts';

const encoder = new TextEncoder();
const text = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const COMMENT = `: nothing${'.'.repeat(700_000)}\n\n`;
const LINES = encoder.encode('data: x\n'.repeat(1_000_000));
const REST = encoder.encode(`\n${COMMENT}${text('b')}`);
const PIECE = 64 * 1024;
const TRIES = 2;

/** The steps for the last piece of the events. */
function pushed(hidesUsage: boolean): Steps<Folded> {
  const fold = new RelayFold(new Tap(passingOf('chat'), Infinity, 1), 'a/m', '', hidesUsage);
  for (let at = 0; at < LINES.length; at += PIECE)
    expect(fold.push(LINES.subarray(at, at + PIECE))).toBeUndefined();
  const steps = fold.push(REST);
  if (!isSteps(steps)) throw new Error('It is read at once');
  return steps;
}

function tookMs(work: () => void): number {
  const began = usedMs();
  work();
  return usedMs() - began;
}

function leastOf(measure: () => number): number {
  return Math.min(...Array.from({ length: TRIES }, measure));
}

test.each([false, true])(
  'a huge invalid event is left out in steps and comments are kept, with hidden usage: %p',
  (hidesUsage) => {
    let kept: Folded;
    const longestMs = leastOf(() => {
      const steps = pushed(hidesUsage);
      let longest = 0;
      for (;;) {
        const fromMs = usedMs();
        const step = steps.next();
        longest = Math.max(longest, usedMs() - fromMs);
        if (!step.done) continue;
        kept = step.value;
        break;
      }
      return longest;
    });
    expect(new TextDecoder().decode(kept)).toBe(`${COMMENT}${text('b')}`);
    // Joining the lines takes as long as reading them and cannot be divided. Reading them twice would take longer.
    const readMs = leastOf(() => tookMs(() => new SseReader().push(LINES)));
    expect(longestMs / readMs).toBeLessThan(1.7);
  },
);
