/** The command line that makes a dataset of what a filter shows. */
import type { Filter } from './parse.ts';
import { expressionOf } from './expression.ts';

export interface DatasetChoice {
  readonly format: string;
  readonly successfulOnly: boolean;
  /** Hide secrets and personal data of all kinds. */
  readonly redact: boolean;
}

/** Arguments behind `llmproxy export`. */
export function exportArguments(filter: Filter, choice: DatasetChoice): string[] {
  const where = expressionOf(filter);
  return [
    ...(filter.since === undefined ? [] : ['--since', filter.since]),
    ...(filter.until === undefined ? [] : ['--until', filter.until]),
    ...(where === '' ? [] : ['--where', where]),
    ...(choice.successfulOnly ? ['--successful-only'] : []),
    ...(choice.redact ? ['--redact', 'all'] : []),
    '--format',
    choice.format,
  ];
}

/** A command as a POSIX shell reads it. */
export function shellCommand(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
