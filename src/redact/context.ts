/** Words near a number that say what it is. */

/** What is looked at: a text, and the name under which it stood, where it had one. */
export interface Context {
  readonly text: string;
  /** The key of JSON that the text is the value of; else empty. */
  readonly label: string;
}

const BEFORE = 48;
const BEHIND = 20;

/** Words on their own, also those that a name in source code is made of. */
function words(text: string): string {
  return text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[_-]/g, ' ');
}

/** Whether what stands before a place, or the name of the whole, says what it is. */
export function isNamed(named: RegExp, { text, label }: Context, from: number): boolean {
  return (
    (label !== '' && named.test(words(label))) ||
    named.test(words(text.slice(Math.max(0, from - BEFORE), from)))
  );
}

/** Whether what stands right behind says it: `on 555-0100, my phone`. */
export function isNamedBehind(named: RegExp, { text }: Context, to: number): boolean {
  // In data and code the next field says nothing of this one.
  return named.test(words(/^[^"'`:;={}<>|\n]*/.exec(text.slice(to, to + BEHIND))![0]));
}
