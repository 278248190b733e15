/** The card of a dataset, which HF `datasets` reads before the rows, and people read as well. */
import { createHash } from 'node:crypto';
import { cardFeature } from './features.ts';
import type { Format } from '../render/format.ts';
import type { Report } from '../report/report.ts';
import { thingsText } from '../report/text.ts';

export interface CardInfo {
  readonly report: Report;
  readonly format: Format;
  /** The keys that rows may have. */
  readonly columns: Format['columns'];
  /** Parquet files contain the types of their columns. */
  readonly parquet: boolean;
}

/** README.md. The same for the same report: it contains no time. */
export function cardText(info: CardInfo): string {
  return `---\n${frontMatter(info).join('\n')}\n---\n\n${page(info)}`;
}

function frontMatter({ report, columns, parquet }: CardInfo): string[] {
  const splits = [...new Set(report.outputs.map(({ split }) => split))];
  const files = splits.flatMap((split) => dataFiles(split, report));
  const features = columns.map((column) => `  - ${cardFeature(column)}`);
  return [
    // A dataset without rows has no file to load.
    ...(files.length > 0 ? ['configs:', ...configOf(report), '  data_files:', ...files] : []),
    ...(features.length > 0 && !parquet ? ['dataset_info:', '  features:', ...features] : []),
    'tags:',
    '- llmproxy',
  ];
}

/**
 * `datasets` loads a directory from its cache, whatever rows it contains by then, if its card has not
 * changed. The description is part of the card, so it identifies the rows.
 */
function configOf({ outputs }: Report): string[] {
  const hasher = createHash('sha256');
  for (const { path, sha256 = '' } of outputs) hasher.update(`${path} ${sha256}\n`);
  return ['- config_name: default', `  description: rows ${hasher.digest('hex').slice(0, 16)}`];
}

function dataFiles(split: string, { outputs }: Report): string[] {
  const paths = outputs.filter((file) => file.split === split).map(({ path }) => yaml(path));
  if (paths.length === 1) return [`  - {split: ${yaml(split)}, path: ${paths[0]}}`];
  return [`  - split: ${yaml(split)}`, '    path:', ...paths.map((path) => `    - ${path}`)];
}

/** Words that YAML does not read as strings. */
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null)$/i;

/** A text in YAML: quoted if it could be mistaken for something else. */
function yaml(text: string): string {
  return /^[a-z_][\w./-]*$/i.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
}

function page({ report, format }: CardInfo): string {
  const { splits, models, providers, tokens, redacted, llmproxy, kept } = report;
  const hidden = Object.keys(redacted);
  return [
    '# Conversations from request logs\n',
    `${thingsText(kept, 'row')} in the format \`${format.name}\` (${format.summary}), created by llmproxy ${llmproxy}.\n`,
    '```python',
    'from datasets import load_dataset',
    'dataset = load_dataset("./this-directory")',
    '```\n',
    table('Split', 'Rows', splits),
    table('Model', 'Rows', models),
    table('Provider', 'Rows', providers),
    table('Left out', 'Records', leftOut(report)),
    tokens.rows > 0
      ? `${tokens.input + tokens.output} tokens in ${thingsText(tokens.rows, 'row')}, ${tokens.output} of them in answers.\n`
      : '',
    hidden.length > 0
      ? `Redacted: ${hidden.join(', ')}.\n`
      : 'Nothing was redacted: the texts are as logged.\n',
    'The rows contain what people asked and models answered. They may contain personal data, and the terms of the providers above',
    'determine what may be trained on them. `manifest.json` lists what was read, and what was left out and why.\n',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Records by the reason why they are not rows: first those excluded by options, then invalid examples. */
function leftOut({ filtered, dropped }: Report): Record<string, number> {
  const unfit = Object.entries(dropped).map(([reject, { count }]) => [reject, count] as const);
  return { ...filtered, ...Object.fromEntries(unfit) };
}

/** The number of names listed in a table. */
const SHOWN = 20;

function table(title: string, unit: string, counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  if (entries.length === 0) return '';
  const others = entries.slice(SHOWN);
  const rest = others.reduce((sum, [, count]) => sum + count, 0);
  const rows = entries.slice(0, SHOWN).map(([name, count]) => `| ${cell(name)} | ${count} |`);
  if (others.length > 0) rows.push(`| ${others.length} others | ${rest} |`);
  return [`| ${title} | ${unit} |`, '|---|---|', ...rows, ''].join('\n');
}

/** Clients choose the names of models. */
function cell(name: string): string {
  return name.replaceAll(/\s+/g, ' ').replaceAll(/[\\|<>`]/g, (sign) => `\\${sign}`);
}
