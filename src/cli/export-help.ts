import type { OptionRow } from '../config/export/options.ts';
import { OPTION_GROUPS } from '../config/export/options.ts';
import { FORMATS } from '../export/render/all.ts';
import { entry, flagsEverywhere } from './help.ts';

/** The help text of `llmproxy export`: flags by purpose, and the formats. */
export function exportHelp(): string {
  const groups = Object.entries<Record<string, OptionRow<unknown>>>(OPTION_GROUPS).map(([title, flags]) =>
    [
      `${title}:`,
      ...Object.entries(flags).map(([name, flag]) => entry(flagText(name, flag), flag.help)),
    ].join('\n'),
  );
  const formats = Object.values(FORMATS).map(({ name, summary }) => entry(`  ${name}`, summary));
  return [
    'Turn request logs into training data.',
    'Usage: llmproxy export [FILE | DIRECTORY | GLOB | s3://... | -]... [FLAGS]\n\n' +
      'The default input is the log directory. --no-NAME turns a switch off again.\n' +
      'Flags can be set as variables: LLMPROXY_EXPORT_MAX_RECORDS for --max-records.',
    ...groups,
    ['Everywhere:', ...flagsEverywhere()].join('\n'),
    ['Formats:', ...formats, entry('  raw', 'Whole records as they were logged')].join('\n'),
    [
      'Examples:',
      '  llmproxy export --successful-only -o dataset/ --split train=0.9,validation=0.1',
      '  llmproxy export logs/ --model "gpt-4*" --since 7d -f openai -o week.jsonl',
      '  llmproxy export --stats --since 30d',
      '  llmproxy export --check week.jsonl -f openai',
    ].join('\n'),
    'Exit status: 0 success, 1 failure, 2 wrong usage, 3 no rows with --fail-empty,\n4 violations with --check or --verify, 130 Ctrl-C. More: docs/export.md',
  ].join('\n\n');
}

function flagText(name: string, { short, hint }: OptionRow<unknown>): string {
  return `  ${short === undefined ? '    ' : `-${short}, `}--${name}${hint === undefined ? '' : ` ${hint.toUpperCase()}`}`;
}
