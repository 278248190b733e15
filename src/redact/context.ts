/** Words near a number that tell what it is. */

/** The searched text, and the key that it is the value of, if any. */
export interface Context {
  readonly text: string;
  /** The JSON key that the text is the value of; otherwise empty. */
  readonly label: string;
}

const BEFORE = 48;
const BEHIND = 20;

/** Every word contains a letter. Tables of numbers have none, and a letter is found many times as fast as a word. */
const LETTER = /\p{L}/u;

/** Matches separate words, including those that a name in source code is composed of. */
function words(text: string): string {
  return text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[_-]/g, ' ');
}

/** Whether the text before a position, or the key, tells what it is. */
export function isNamed(named: RegExp, { text, label }: Context, from: number): boolean {
  return (
    (label !== '' && named.test(words(label))) || holds(named, text.slice(Math.max(0, from - BEFORE), from))
  );
}

/** Whether the text directly after it does: `on 555-0100, my phone`. */
export function isNamedBehind(named: RegExp, { text }: Context, to: number): boolean {
  // In data and code the next field says nothing about this one.
  return holds(named, /^[^"'`:;={}<>|\n]*/.exec(text.slice(to, to + BEHIND))![0]);
}

/** Whether a word may follow any part of what begins and ends there. */
export function mayNameBehind({ text }: Context, from: number, to: number): boolean {
  return LETTER.test(text.slice(from, to + BEHIND));
}

function holds(named: RegExp, part: string): boolean {
  return LETTER.test(part) && named.test(words(part));
}
