/** A filter as the expression for `llmproxy export --where` and `llmproxy logs --where`. */
import type { Filter, Term } from './parse.ts';
import { NUMBER_FIELDS, TEXT_FIELDS } from './parse.ts';

/** The expression in CEL; empty if the filter is empty. Missing fields are null, and match nothing. */
export function expressionOf({ terms }: Pick<Filter, 'terms'>): string {
  return terms.map((term) => expressionOfTerm(term, terms.length > 1)).join(' && ');
}

function expressionOfTerm(term: Term, joined: boolean): string {
  const { field, negated } = term;
  if (field === 'failed') return `outcome ${negated ? '==' : '!='} "success"`;
  if (field === 'stream') return `stream ${negated ? '!=' : '=='} true`;
  const parts = alternatives(term);
  const many = parts.length > 1;
  const all = parts.join(' || ');
  if (term.negated)
    return many || all.includes(' && ') ? `!(${all})` : `!${all.startsWith('(') ? all : `(${all})`}`;
  return many && joined ? `(${all})` : all;
}

function alternatives({ field, operator, value, name }: Term): string[] {
  if (field === 'tag' || field === 'label') {
    const among = field === 'tag' ? 'tags' : 'labels';
    const own = `${among}[${quoted(name!)}]`;
    const has = `${among} != null && ${quoted(name!)} in ${among}`;
    return [`(${has} && ${compared(own, operator, String(value))})`];
  }
  if (field in TEXT_FIELDS) {
    const places = TEXT_FIELDS[field as keyof typeof TEXT_FIELDS];
    return places.map((place) =>
      operator === 'equals'
        ? `${place} == ${quoted(String(value))}`
        : `(${place} != null && ${compared(place, operator, String(value))})`,
    );
  }
  const place = NUMBER_FIELDS[field as keyof typeof NUMBER_FIELDS];
  return [`(${place} != null && ${measured(place, operator, Number(value))})`];
}

function compared(place: string, operator: Term['operator'], value: string): string {
  return operator === 'equals'
    ? `${place} == ${quoted(value)}`
    : `${place}.lowerAscii().contains(${quoted(value)})`;
}

const SIGNS = { equals: '==', above: '>', from: '>=', below: '<', to: '<=' } as const;

function measured(place: string, operator: Term['operator'], value: number): string {
  if (operator === 'contains') return `${place} >= ${value} && ${place} < ${value + 100}`;
  return `${place} ${SIGNS[operator]} ${value}`;
}

/** A CEL string, whose escapes are those of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
