/** The command line that makes a dataset from what a filter shows. */
import type { Filter, Term } from './parse.ts';
import { expressionOf } from './expression.ts';

export interface DatasetChoice {
  readonly format: string;
  readonly successfulOnly: boolean;
  /** Whether to redact secrets and personal data of all kinds. */
  readonly redact: boolean;
}

/** The arguments of `llmproxy export`: flags for the terms that have one, and an expression for the rest. */
export function exportArguments(filter: Filter, choice: DatasetChoice): string[] {
  const flags = new Map<string, string>();
  const left: Term[] = [];
  for (const term of filter.terms) {
    const flag = flagOf(term);
    if (flag && !flags.has(flag[0])) flags.set(...flag);
    else left.push(term);
  }
  const where = expressionOf({ terms: left });
  return [
    ...(filter.since === undefined ? [] : ['--since', filter.since]),
    ...(filter.until === undefined ? [] : ['--until', filter.until]),
    ...[...flags].flat(),
    ...(where === '' ? [] : ['--where', where]),
    ...(choice.successfulOnly ? ['--successful-only'] : []),
    ...(choice.redact ? ['--redact', 'all'] : []),
    '--format',
    choice.format,
  ];
}

/** Fields that a flag can match exactly, unless the value contains characters of patterns or lists. */
const EXACT: Readonly<Partial<Record<Term['field'], string>>> = {
  model: '--model',
  provider: '--provider',
  endpoint: '--endpoint',
  key: '--key',
};

const PLAIN = /^[\w.:/@-]+$/;

function flagOf({ negated, field, operator, value, name }: Term): [flag: string, value: string] | undefined {
  const text = String(value);
  if (negated || text.startsWith('-')) return undefined;
  if (field === 'model' && operator === 'contains') return ['--model-filter', text];
  if (field === 'status' && operator === 'contains') return ['--status', `${text[0]}xx`];
  if (field === 'status' && operator === 'equals') return ['--status', text];
  if (operator !== 'equals' || !PLAIN.test(text)) return undefined;
  if (field === 'tag' && PLAIN.test(name!)) return ['--tag', `${name}=${text}`];
  const flag = EXACT[field];
  return flag === undefined ? undefined : [flag, text];
}

/** A command for a POSIX shell. */
export function shellCommand(args: readonly string[]): string {
  return shellWords(args).join(' ');
}

/** Its words, quoted where necessary. */
export function shellWords(args: readonly string[]): string[] {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
}
