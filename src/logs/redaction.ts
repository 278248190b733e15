/** What is taken out of lines: told apart quickly by their bytes, and then taken out exactly. */
import type { Searchable } from './finder.ts';
import { Finder } from './finder.ts';
import { REDACTED_KEYS, redactor, secretForms } from './redact.ts';

export interface RedactionOptions {
  /** Values to hide wherever they occur; those below 6 characters are left alone. */
  readonly secrets: readonly string[];
  /** Further JSON keys whose string values are hidden. */
  readonly keys: readonly string[];
}

/** What the shapes of keys begin with, and which bytes must follow; see `redactor()`. */
const SHAPES: readonly { readonly start: Buffer; readonly follow: RegExp }[] = [
  ...['sk-', 'gsk_', 'xai-', 'AIza'].map((start) => ({ start: Buffer.from(start), follow: /^[\w-]{20}/ })),
  { start: Buffer.from('earer '), follow: /^ *[\w.~+/=-]{16}/ },
];
/** Of what follows, so much is looked at; more spaces than that count as suspect. */
const FOLLOW_BYTES = 64;

/** Takes what is to be hidden out of lines. */
export class Redaction {
  /** Takes it out of one line of JSON text. */
  readonly redact: (line: string) => string;
  readonly #finder: Finder;
  /** Names that have capitals beyond ASCII are looked for in every line. */
  readonly #always: boolean;

  constructor(options: RedactionOptions) {
    this.redact = redactor(options);
    const names = [...REDACTED_KEYS, ...options.keys].map((key) => JSON.stringify(key));
    this.#always = names.some((name) => /[\u0080-\uffff]/.test(name));
    this.#finder = new Finder([...names, ...secretForms(options.secrets)]);
  }

  /**
   * Where in the first `length` bytes something may stand that {@link redact} takes out: within the line of each such
   * thing at least one place. It costs a small part of what taking it out does.
   * @param ends behind each line
   * @returns which lines, from 0, in ascending order
   */
  suspects(block: Searchable, length: number, ends: readonly number[]): number[] {
    if (this.#always) return [...ends.keys()];
    const lines = new Set<number>();
    const tell = (at: number) => lines.add(lineAt(ends, at));
    this.#finder.find(block, length, tell);
    tellShapes(block.bytes.subarray(0, length), tell);
    return [...lines].toSorted((a, b) => a - b);
  }
}

function tellShapes(bytes: Buffer, tell: (at: number) => void): void {
  for (const { start, follow } of SHAPES) {
    for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + start.length)) {
      const from = at + start.length;
      const next = bytes.toString('latin1', from, from + FOLLOW_BYTES);
      if (follow.test(next) || next.trimStart() === '') tell(at);
    }
  }
}

/** The line that a place is in. */
function lineAt(ends: readonly number[], at: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
