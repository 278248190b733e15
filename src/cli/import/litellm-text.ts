import type { Key } from './draft.ts';

/** Converts `os.environ/NAME` to a variable. */
export function fromLitellmText(text: string): Key {
  const name = /^os\.environ\/(\w+)$/.exec(text.trim())?.[1];
  return name === undefined ? { literal: text } : { env: name };
}
