/** The parts of a text that contain numbers. Kinds that consist of digits are searched only there. */

/** A part of a text that may contain a number, with enough of its surroundings to tell what it is. */
export interface NumberPart {
  readonly text: string;
  /** The position where it begins in the whole text. */
  readonly offset: number;
}

/** Four digits or more, each near the next; account numbers have letters in between. Long ones are found in pieces. */
const DIGITS = /\d(?:[^\d\n]{0,7}\d){3,200}/g;
/** Letters that a number may begin or end with. */
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
