/** The parts of a text where numbers stand: what is known by its digits is looked for there alone. */

/** A place in a text that may hold a number, with as much around it as tells what it is. */
export interface NumberPart {
  readonly text: string;
  /** Where it begins in the whole. */
  readonly offset: number;
}

/** Four digits or more, none far from the next: letters of accounts may stand between them. Long ones are found in pieces. */
const DIGITS = /\d(?:[^\d\n]{0,7}\d){3,200}/g;
/** Letters that a number may begin and end with. */
const BEFORE = 24;
const BEHIND = 30;

export function numberParts(text: string): NumberPart[] {
  const parts: NumberPart[] = [];
  let from = -1;
  let to = 0;
  const close = () => {
    if (from >= 0) parts.push({ text: text.slice(from, to), offset: from });
  };
  DIGITS.lastIndex = 0;
  for (let match = DIGITS.exec(text); match; match = DIGITS.exec(text)) {
    const begin = Math.max(0, match.index - BEFORE);
    if (begin > to || from < 0) {
      close();
      from = begin;
    }
    to = Math.min(text.length, DIGITS.lastIndex + BEHIND);
  }
  close();
  return parts;
}
