/** Redacts lines: candidates are found quickly by their bytes, then redacted exactly. */
import type { Searchable } from './finder.ts';
import { Finder } from './finder.ts';
import { REDACTED_KEYS, redactor, secretForms } from './redact.ts';

export interface RedactionOptions {
  /** Values to redact wherever they occur; those shorter than 6 characters are ignored. */
  readonly secrets: readonly string[];
  /** Further JSON keys whose string values are redacted. */
  readonly keys: readonly string[];
}

/** The prefixes of keys, and the bytes that must follow; see `redactor()`. */
const SHAPES: readonly { readonly start: Buffer; readonly follow: RegExp }[] = [
  ...['sk-', 'gsk_', 'xai-', 'AIza'].map((start) => ({ start: Buffer.from(start), follow: /^[\w-]{20}/ })),
  { start: Buffer.from('earer '), follow: /^ *[\w.~+/=-]{16}/ },
];
/** The number of following bytes to examine; more spaces than that count as suspicious. */
const FOLLOW_BYTES = 64;

/** Redacts log lines. */
export class Redaction {
  /** Redacts one line of JSON text. */
  readonly redact: (line: string) => string;
  readonly #finder: Finder;
  /** Key names with capital letters beyond ASCII are searched for in every line. */
  readonly #always: boolean;

  constructor(options: RedactionOptions) {
    this.redact = redactor(options);
    const names = [...REDACTED_KEYS, ...options.keys].map((key) => JSON.stringify(key));
    this.#always = names.some((name) => /[\u0080-\uffff]/.test(name));
    this.#finder = new Finder([...names, ...secretForms(options.secrets)]);
  }

  /**
   * The positions in the first `length` bytes at which {@link redact} may find something: at least one in every line
   * that it would change. This costs a small fraction of the redaction itself.
   * @param ends the end offset of each line
   * @returns the indices of these lines, from 0, in ascending order
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

/** The line that contains a position. */
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
