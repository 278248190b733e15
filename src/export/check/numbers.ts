import { holdsInfinity } from '../conversation/json.ts';
import { isLoadable } from '../../wire/long-numbers.ts';

/** Text that may contain a number of more than 64 bits, or one that overflows. */
const ODD = /\d{19}|[eE]\+?\d{3}/;
/** A string, or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * What is wrong with the numbers in JSON text, or `undefined`. `JSON.parse` rounds them silently; `datasets` fails on
 * the whole file for an integer of more than 64 bits in digits, and reads null for a number such as 1e400.
 * @param text valid JSON
 */
export function numberProblem(text: string): string | undefined {
  if (!ODD.test(text)) return undefined;
  for (const [token] of text.matchAll(TOKEN)) {
    const [, digits] = /^(-?\d{19,})(?:\.\d+)?$/.exec(token) ?? [];
    if (digits !== undefined && !isLoadable(digits))
      return `holds the number ${shortened(token)}, of more than 64 bits: datasets fails on the file`;
  }
  return holdsInfinity(text)
    ? 'holds a number that is too large, such as 1e400: datasets reads null'
    : undefined;
}

function shortened(token: string): string {
  return token.length <= 30 ? token : `${token.slice(0, 27)}...`;
}
