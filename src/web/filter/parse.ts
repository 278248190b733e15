/**
 * Parses the filter that people type on the page, such as `failed model:gpt key=web -provider:azure cost:>0.01`. The
 * page, the proxy and the command line of an export share this parser, so that they cannot disagree.
 */

/** How a term compares. */
export type Operator = 'contains' | 'equals' | 'above' | 'from' | 'below' | 'to';

export interface Term {
  readonly negated: boolean;
  readonly field: FieldName;
  readonly operator: Operator;
  /** For substring matches the text is in lower case; for exact ones it is as typed. */
  readonly value: string | number;
  /** The NAME in a field `tag.NAME` or `label.NAME`. */
  readonly name?: string;
}

export interface Filter {
  /** All terms must match. */
  readonly terms: readonly Term[];
  /** In the notation of `llmproxy export --since` and `--until`. */
  readonly since?: string;
  readonly until?: string;
  /** What could not be parsed, in words. */
  readonly problems: readonly string[];
}

/** Text fields, and where a record has them. Bare words are searched for in all fields of `any`. */
export const TEXT_FIELDS = {
  any: ['model', 'upstream_model', 'provider', 'key', 'id', 'fault', 'conversation', 'user', 'endpoint'],
  model: ['model'],
  upstream: ['upstream_model'],
  provider: ['provider'],
  key: ['key'],
  group: ['group'],
  user: ['user'],
  id: ['id'],
  conversation: ['conversation'],
  endpoint: ['endpoint'],
  outcome: ['outcome'],
  fault: ['fault'],
  finish: ['finish'],
} as const;

/** Numeric fields. */
export const NUMBER_FIELDS = {
  status: 'status',
  cost: 'cost',
  latency: 'latency_ms',
  first: 'first_content_ms',
  in: 'input_tokens',
  out: 'output_tokens',
  attempts: 'attempts',
} as const;

export type TextField = keyof typeof TEXT_FIELDS;
export type NumberField = keyof typeof NUMBER_FIELDS;
export type FieldName = TextField | NumberField | 'failed' | 'stream' | 'tag' | 'label';

export const NO_FILTER: Filter = { terms: [], problems: [] };

/** The longest filter, characters. */
export const MAX_FILTER = 500;
const MAX_TERMS = 20;

/** Parses a filter. Terms that are invalid are listed in `problems` and left out. */
export function parseFilter(text: string): Filter {
  if (text.length > MAX_FILTER) return { terms: [], problems: [`longer than ${MAX_FILTER} characters`] };
  const terms: Term[] = [];
  const problems: string[] = [];
  const span: { since?: string; until?: string } = {};
  for (const word of wordsOf(text)) {
    const time = /^(since|until):(.+)$/s.exec(word);
    if (time) {
      span[time[1] as 'since' | 'until'] = unquoted(time[2]!);
      continue;
    }
    const term = termOf(word);
    if (typeof term === 'string') problems.push(term);
    else if (terms.length < MAX_TERMS) terms.push(term);
    else problems.push(`more than ${MAX_TERMS} words`);
  }
  return { terms, problems, ...span };
}

/** Words are separated by spaces; quotes keep spaces within a word. */
function wordsOf(text: string): string[] {
  return text.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}

function termOf(word: string): Term | string {
  const negated = word.length > 1 && word.startsWith('-');
  const rest = negated ? word.slice(1) : word;
  if (rest === 'failed' || rest === 'stream') return { negated, field: rest, operator: 'equals', value: '' };
  const [, field, sign, value] = /^([a-z]+(?:\.[^:="]+)?)([:=])(.*)$/is.exec(rest) ?? [];
  if (field === undefined || sign === undefined || value === undefined)
    return { negated, field: 'any', operator: 'contains', value: unquoted(rest).toLowerCase() };
  const written = unquoted(value);
  if (written === '') return `${field}${sign} needs a value`;
  const operator = sign === '=' ? 'equals' : 'contains';
  const text = operator === 'equals' ? written : written.toLowerCase();
  const [, kind, name] = /^(tag|label)\.(.+)$/is.exec(field) ?? [];
  if (kind !== undefined)
    return {
      negated,
      field: kind.toLowerCase() as 'tag' | 'label',
      operator,
      value: text,
      name: name!,
    };
  const lower = field.toLowerCase();
  if (lower !== 'any' && Object.hasOwn(TEXT_FIELDS, lower))
    return { negated, field: lower as TextField, operator, value: text };
  if (Object.hasOwn(NUMBER_FIELDS, lower)) return numberTerm(lower as NumberField, written, negated);
  return `${field} is not a field`;
}

const SIGNS: Readonly<Record<string, Operator>> = {
  '': 'equals',
  '=': 'equals',
  '>': 'above',
  '>=': 'from',
  '<': 'below',
  '<=': 'to',
};

/** Milliseconds, or thousands, by the unit after a number. */
const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, k: 1_000 };

function numberTerm(field: NumberField, written: string, negated: boolean): Term | string {
  const [, sign = '', digits, unit = ''] =
    /^(>=|<=|=|>|<|)\$?(\d+(?:\.\d+)?)(ms|s|m|k|xx|)$/i.exec(written) ?? [];
  if (digits === undefined) return `${field}: expected a number, such as ${EXAMPLES[field]}`;
  if (unit.toLowerCase() === 'xx') {
    if (field !== 'status' || sign !== '' || !/^[1-5]$/.test(digits)) return `${field}: expected a number`;
    return { negated, field, operator: 'contains', value: Number(digits) * 100 };
  }
  return { negated, field, operator: SIGNS[sign]!, value: Number(digits) * UNITS[unit.toLowerCase()]! };
}

const EXAMPLES: Readonly<Record<NumberField, string>> = {
  status: 'status:429, status:5xx',
  cost: 'cost:>0.01',
  latency: 'latency:>2s',
  first: 'first:>500ms',
  in: 'in:>10k',
  out: 'out:<100',
  attempts: 'attempts:>1',
};
