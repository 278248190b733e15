/**
 * Writes the generated tables of docs/export.md: formats, options, and the reasons why a record produces no row.
 * `--check` only reports whether they are stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OptionFormats, OptionName, OptionRow } from '../src/config/export/options.ts';
import { configKeyOf, OPTION_GROUPS } from '../src/config/export/options.ts';
import { FILTERS, REJECT_REASONS } from '../src/export/errors.ts';
import { FORMATS } from '../src/export/render/all.ts';
import type { Format } from '../src/export/render/format.ts';
import { LINE_PROBLEMS } from '../src/logs/reader.ts';

const PATH = join(import.meta.dir, '../docs/export.md');

const LOSS: Readonly<Record<Format['loss'], string>> = {
  per_turn: 'trained or masked individually',
  completion: 'never trained',
  all: 'all trained',
};

const TAKEN: Readonly<Record<OptionFormats, string>> = {
  conversations: 'all except `raw`',
  judged: '`trl-dpo`, `openai-dpo`, `kto`',
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function formats(): string {
  const rows = Object.values(FORMATS).map(({ name, summary, loss }) => [`\`${name}\``, summary, LOSS[loss]]);
  const raw = ['`raw`', 'Your own programs: whole records as they were logged (`--export-all`)', ''];
  return table(['`--format`', 'Loaded by', 'Answers within a prompt'], [...rows, raw]);
}

function options(): string {
  return Object.entries<Record<string, OptionRow<unknown>>>(OPTION_GROUPS)
    .map(([title, group]) => {
      const rows = Object.entries(group).map(([name, row]) => optionRow(name as OptionName, row));
      return `**${title}**\n\n${table(['Flag', 'Key', 'Default', 'Formats', 'Meaning'], rows)}`;
    })
    .join('\n\n');
}

function optionRow(
  name: OptionName,
  { kind, short, fallback, formats: taken, config, help }: OptionRow<unknown>,
) {
  const flag = `\`${short === undefined ? '' : `-${short}, `}--${name}${hintOf(kind)}\``;
  const shown = fallback === undefined || kind.form !== 'value' ? '' : `\`${String(fallback)}\``;
  return [
    flag,
    config === false ? '' : `\`${configKeyOf(name)}\``,
    shown,
    taken === undefined ? 'all' : TAKEN[taken],
    help,
  ];
}

/** The values that an option accepts; if they are not fixed, the hint of its help text. */
function hintOf({ form, words }: OptionRow<unknown>['kind']): string {
  if (form === 'switch') return '';
  return words && words.length > 0 && words.length < 5 ? ` ${words.join('|')}` : '';
}

function reasons(): string {
  const rows = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return [
    'Excluded by filters or other options:',
    table(['Reason', 'Meaning'], rows(FILTERS)),
    'Dropped because no valid training example can be made from it:',
    table(['Reason', 'Meaning'], rows(REJECT_REASONS)),
    'Lines that are not records:',
    table(['Reason', 'Meaning'], rows(LINE_PROBLEMS)),
  ].join('\n\n');
}

const BLOCKS = { formats, reasons, options };

const before = readFileSync(PATH, 'utf8');
const after = Object.entries(BLOCKS).reduce((text, [name, make]) => {
  const block = new RegExp(`(<!-- ${name}: [^>]*-->\n)[^]*?(\n<!-- /${name} -->)`);
  if (!block.test(text)) throw new Error(`Cannot find the block "${name}" in docs/export.md`);
  return text.replace(block, (_, open: string, close: string) => `${open}\n${make()}\n${close}`);
}, before);

if (process.argv.includes('--check')) {
  if (after !== before) process.stderr.write('docs/export.md is stale: run make docs\n');
  process.exitCode = after === before ? 0 : 1;
} else if (after !== before) writeFileSync(PATH, after);
