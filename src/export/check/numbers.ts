import { holdsInfinity } from '../conversation/json.ts';
import { stringEnd } from '../../wire/json-string-end.ts';
import { isLoadable } from '../../wire/long-numbers.ts';

/** Text that may contain a number of more than 64 bits, or one that overflows. */
const ODD = /\d{19}|[eE]\+?\d{3}/;

/**
 * What is wrong with the numbers in JSON text, or `undefined`. `JSON.parse` rounds them silently; `datasets` fails on
 * the whole file for an integer of more than 64 bits in digits, and reads null for a number such as 1e400.
 * @param text valid JSON
 */
export function numberProblem(text: string): string | undefined {
  if (!ODD.test(text)) return undefined;
  const token = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const { 0: found, index } = match;
    if (found === '"') token.lastIndex = stringEnd(text, index + 1) + 1;
    const [, digits] = /^(-?\d{19,})(?:\.\d+)?$/.exec(found) ?? [];
    if (digits !== undefined && !isLoadable(digits))
      return `holds the number ${shortened(found)}, of more than 64 bits: datasets fails on the file`;
  }
  return holdsInfinity(text)
    ? 'holds a number that is too large, such as 1e400: datasets reads null'
    : undefined;
}

function shortened(token: string): string {
  return token.length <= 30 ? token : `${token.slice(0, 27)}...`;
}
