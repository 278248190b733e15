/** Classes of UTF-16 code units, for splitting text into words. */
export const KIND = {
  /** Ends a word, and is not part of it. */
  space: 1 << 16,
  /** Ends a word, and is part of it: punctuation, symbols. */
  mark: 2 << 16,
  /** Letters, digits, accents and "_" in scripts that separate words by spaces. */
  letter: 3 << 16,
  /** A word by itself: in scripts without spaces, and each half of a surrogate pair. */
  character: 4 << 16,
} as const;

/** The bits of a letter that hold its code unit. */
export const CODE = 0xffff;

const UNSPACED = [
  'Han',
  'Hira',
  'Kana',
  'Bopo',
  'Thai',
  'Laoo',
  'Khmr',
  'Mymr',
  'Yiii',
  'Tale',
  'Talu',
  'Lana',
];
const CHARACTER = new RegExp(
  `^(?:[\\ud800-\\udfff]|(?=[\\p{L}\\p{M}\\p{N}])[${UNSPACED.map((script) => `\\p{scx=${script}}`).join('')}])$`,
  'u',
);
const LETTER = /^[\p{L}\p{M}\p{N}_]$/u;
const SPACE = /^\s$/u;

/** The classes by code unit, computed on demand; 0 means not computed yet. */
const LETTERS = new Int32Array(0x10000);

/** A code unit in lower case, with its class in the bits above it. */
export function letterOf(unit: number): number {
  const letter = LETTERS[unit]!;
  return letter === 0 ? (LETTERS[unit] = classify(String.fromCharCode(unit))) : letter;
}

function classify(character: string): number {
  return kindOf(character) | character.toLowerCase().charCodeAt(0);
}

function kindOf(character: string): number {
  if (SPACE.test(character)) return KIND.space;
  if (CHARACTER.test(character)) return KIND.character;
  return LETTER.test(character) ? KIND.letter : KIND.mark;
}
