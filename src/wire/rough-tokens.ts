/**
 * Estimates the tokens of a text without a vocabulary. Tokenizers first split texts into words, numbers and signs, and
 * so does this: common words are one token, long words several.
 */

const LOWER = 0;
const UPPER = 1;
const DIGIT = 2;
const SIGN = 3;
const SPACE = 4;
const BREAK = 5;
const OTHER = 6;

/** The class of each ASCII character. */
const KINDS = new Uint8Array(128)
  .fill(SIGN)
  .fill(BREAK, 0, 32)
  .fill(SPACE, 32, 33)
  .fill(DIGIT, 48, 58)
  .fill(UPPER, 65, 91)
  .fill(LOWER, 97, 123);

/**
 * The tokens that a character adds: a row for the class of the preceding character, a column for its own. A space
 * belongs to the following word, a capital begins a word, and three digits are one token.
 */
const ADDED = Float64Array.from(
  [
    [0.09, 0.85, 0.9, 0.75, 0.05, 0.6, 0, 0],
    [0.25, 0.32, 0.9, 0.75, 0.05, 0.6, 0, 0],
    [0.85, 0.85, 0.35, 0.75, 0.05, 0.6, 0, 0],
    [0.7, 0.7, 0.85, 0.32, 0.05, 0.5, 0, 0],
    [0.76, 0.76, 0.95, 0.8, 0.01, 0.3, 0, 0],
    [0.76, 0.76, 0.95, 0.75, 0.3, 0.1, 0, 0],
    [0.6, 0.6, 0.85, 0.75, 0.05, 0.6, 0, 0],
  ].flat(),
);

/** Longer texts are sampled: at how many positions, and how much at each, characters. */
export const MOST_UNSAMPLED = 512;
const PLACES = 8;
const PLACE = MOST_UNSAMPLED / PLACES;

/** The estimated tokens of a piece of text, not rounded. */
export function roughTokens(text: string): number {
  const { length } = text;
  if (length <= MOST_UNSAMPLED) return tokensBetween(text, 0, length);
  const step = (length - PLACE) / (PLACES - 1);
  let weight = 0;
  for (let place = 0; place < PLACES; place += 1) {
    const start = Math.floor(place * step);
    weight += tokensBetween(text, start, start + PLACE);
  }
  return (weight * length) / MOST_UNSAMPLED;
}

function tokensBetween(text: string, start: number, end: number): number {
  let weight = 0;
  let last = start === 0 ? OTHER : kindOf(text.charCodeAt(start - 1));
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127) {
      weight += BLOCKS[code >> 4]!;
      last = kindOf(code);
      continue;
    }
    const kind = KINDS[code]!;
    weight += ADDED[last * 8 + kind]!;
    last = kind;
  }
  return weight;
}

function kindOf(code: number): number {
  if (code > 127) return code < 0x250 ? LOWER : OTHER;
  return KINDS[code]!;
}

/**
 * The tokens that letters of other scripts add, by Unicode range: the first range that ends after the letter counts.
 */
const SCRIPTS: readonly (readonly [end: number, tokens: number])[] = [
  [0x250, 0.45],
  [0x370, 0.9],
  [0x400, 0.4],
  [0x530, 0.26],
  [0x590, 0.5],
  [0x600, 0.4],
  [0x780, 0.28],
  [0x900, 0.5],
  [0x980, 0.32],
  [0xe00, 0.45],
  [0xe80, 0.45],
  [0x1100, 0.6],
  [0x1e00, 0.9],
  [0x2000, 0.5],
  [0x3040, 0.9],
  [0x3100, 0.85],
  [0xac00, 0.85],
  [0xd7b0, 0.75],
  [0xe000, 0.8],
  [0x10000, 0.8],
];

/** The same for each block of 16 letters. */
const BLOCKS = new Float64Array(0x1000);
let nextBlock = 0;
for (const [end, tokens] of SCRIPTS) {
  BLOCKS.fill(tokens, nextBlock);
  nextBlock = Math.ceil(end / 16);
}
