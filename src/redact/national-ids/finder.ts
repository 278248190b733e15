/** Finds national ID numbers in the parts of a text that contain digits. */
import type { Context } from '../context.ts';
import { isNamed } from '../context.ts';
import { NATIONAL_ID_WORDS } from './words.ts';
import type { NationalId } from './table.ts';
import { NATIONAL_IDS } from './table.ts';
import type { NumberPart } from '../numbers.ts';
import { isInPath, isInTable } from '../surroundings.ts';

/** Where a number may begin. Lists of single digits are excluded. */
const START =
  /(?<![A-Za-z0-9+]|[A-Za-z0-9]__?|\d[.:/+-])(?!\d[ ./+-]{1,2}\d[ ./+-]{1,2}\d[ ./+-])(?=[A-Z]{0,6}[ -]?[\dL-V][ ./+A-Z\d-]{5})[A-Z\d]/g;
const END = '(?![A-Za-z0-9]|__?[A-Za-z0-9]|[-/.]\\d)';
/** Characters that do not belong to the number itself. */
const SEPARATORS = /[ ./()+-]/g;

interface Prepared {
  readonly id: NationalId;
  readonly pattern: RegExp;
}

let prepared: { readonly digit: readonly Prepared[]; readonly letter: readonly Prepared[] } | undefined;

function patterns(first: string): readonly Prepared[] {
  prepared ??= (() => {
    const all = NATIONAL_IDS.map((id) => ({ id, pattern: new RegExp(`(?:${id.pattern})${END}`, 'y') }));
    const letters = /^(?:\[[A-Z]|\(\?!)/;
    const both = /^\(\?:/;
    return {
      digit: all.filter(({ id }) => !letters.test(id.pattern) || id.pattern.startsWith('[\\d')),
      letter: all.filter(({ id }) => letters.test(id.pattern) || both.test(id.pattern)),
    };
  })();
  return first >= 'A' ? prepared.letter : prepared.digit;
}

/** Whether it is a number of a table or a drawing. */
function isApart(found: string, { check }: NationalId, text: string, from: number): boolean {
  return isInPath(text, from, from + found.length) || isInTable(text, from, found, check);
}

/** @param add called with the start and the end of each number in the whole text */
export function findNationalIds(
  part: NumberPart,
  context: Context,
  add: (from: number, to: number) => void,
): void {
  START.lastIndex = 0;
  for (let start = START.exec(part.text); start; start = START.exec(part.text)) {
    const from = start.index;
    let named: boolean | undefined;
    let longest = 0;
    for (const { id, pattern } of patterns(start[0])) {
      pattern.lastIndex = from;
      const found = pattern.exec(part.text)?.[0];
      if (found === undefined || found.length <= longest) continue;
      if (!id.check(found.replaceAll(SEPARATORS, '').toUpperCase())) continue;
      const alone =
        (id.alone === undefined || (id.alone !== false && id.alone.test(found))) &&
        !isApart(found, id, context.text, part.offset + from);
      if (alone || (named ??= isNamed(NATIONAL_ID_WORDS, context, part.offset + from)))
        longest = found.length;
    }
    if (longest === 0) continue;
    add(part.offset + from, part.offset + from + longest);
    START.lastIndex = from + longest;
  }
}
