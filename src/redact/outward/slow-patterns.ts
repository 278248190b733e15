import type { CustomPattern } from '../../config/redact-patterns.ts';

/** How long the search of a text may take, milliseconds, and for how many of its characters it may take one more. */
const MOST_MS = 80;
const CHARACTERS_PER_MS = 1_000;

/** Thrown if a pattern takes so long on a text that the engine may have given up on it without a match. */
export class SlowPattern extends Error {
  constructor(name: string) {
    super(`The pattern ${name} takes too long`);
    this.name = 'SlowPattern';
  }
}

/**
 * Searches a text and makes sure that no pattern was given up: JavaScript's engine does so after very many steps, and
 * then reports no match. A search that was slow is timed again for each pattern, since the thread may only have been
 * interrupted.
 */
export function searched(text: string, patterns: readonly CustomPattern[], search: () => string): string {
  const began = performance.now();
  const found = search();
  if (patterns.length === 0 || !isSlow(began, text)) return found;
  for (const { name, pattern } of patterns) {
    const again = performance.now();
    for (const _ of text.matchAll(new RegExp(pattern, 'gu')));
    if (isSlow(again, text)) throw new SlowPattern(name);
  }
  return found;
}

function isSlow(beganMs: number, { length }: string): boolean {
  return performance.now() - beganMs > MOST_MS + length / CHARACTERS_PER_MS;
}
