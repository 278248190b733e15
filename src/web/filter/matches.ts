/** Whether a record fulfils a filter. */
import type { Filter, Term } from './parse.ts';
import { NUMBER_FIELDS, TEXT_FIELDS } from './parse.ts';

/** The head of a record; in a file any field may be invalid. */
export type AnyHead = Readonly<Record<string, unknown>>;

/** A test for heads. The time of a record is not tested: see `since` and `until` of {@link Filter}. */
export function matcher({ terms }: Filter): (head: AnyHead) => boolean {
  const tests = terms.map(testOf);
  return (head) => tests.every((test) => test(head));
}

function testOf(term: Term): (head: AnyHead) => boolean {
  const test = plainTest(term);
  return term.negated ? (head) => !test(head) : test;
}

function plainTest({ field, operator, value, name }: Term): (head: AnyHead) => boolean {
  if (field === 'failed') return ({ outcome }) => outcome !== 'success';
  if (field === 'stream') return ({ stream }) => stream === true;
  if (field === 'tag' || field === 'label') {
    const among = field === 'tag' ? 'tags' : 'labels';
    return (head) => compares(ownField(head[among], name!), operator, value as string);
  }
  if (field in TEXT_FIELDS) {
    const places = TEXT_FIELDS[field as keyof typeof TEXT_FIELDS];
    return (head) => places.some((place) => compares(head[place], operator, value as string));
  }
  const place = NUMBER_FIELDS[field as keyof typeof NUMBER_FIELDS];
  return (head) => measures(head[place], operator, value as number);
}

function ownField(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, name)) return undefined;
  return (object as AnyHead)[name];
}

function compares(text: unknown, operator: Term['operator'], value: string): boolean {
  if (typeof text !== 'string') return false;
  return operator === 'equals' ? text === value : text.toLowerCase().includes(value);
}

function measures(number: unknown, operator: Term['operator'], value: number): boolean {
  if (typeof number !== 'number') return false;
  switch (operator) {
    case 'contains':
      return number >= value && number < value + 100;
    case 'equals':
      return number === value;
    case 'above':
      return number > value;
    case 'from':
      return number >= value;
    case 'below':
      return number < value;
    case 'to':
      return number <= value;
  }
}
