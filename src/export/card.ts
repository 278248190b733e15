/** The card of a dataset: what HF `datasets` reads before the rows, and people too. */
import { cardFeature } from './features.ts';
import type { Format } from './formats/format.ts';
import type { Report } from './report.ts';

export interface CardInfo {
  readonly report: Report;
  readonly format: Format;
  /** Those that rows may have. */
  readonly columns: Format['columns'];
  /** Parquet carries the types of its columns itself. */
  readonly parquet: boolean;
}

/** README.md. The same for the same report: it holds no time. */
export function cardText(info: CardInfo): string {
  return `---\n${frontMatter(info).join('\n')}\n---\n\n${page(info)}`;
}

function frontMatter({ report, columns, parquet }: CardInfo): string[] {
  const splits = [...new Set(report.outputs.map(({ split }) => split))];
  const files = splits.flatMap((split) => dataFiles(split, report));
  const features = columns?.map((column) => `  - ${cardFeature(column)}`) ?? [];
  return [
    'configs:',
    '- config_name: default',
    '  data_files:',
    ...(files.length > 0 ? files : ['  []']),
    ...(features.length > 0 && !parquet ? ['dataset_info:', '  features:', ...features] : []),
    'tags:',
    '- llmproxy',
  ];
}

function dataFiles(split: string, { outputs }: Report): string[] {
  const paths = outputs.filter((file) => file.split === split).map(({ path }) => path);
  if (paths.length === 1) return [`  - {split: ${split}, path: ${paths[0]}}`];
  return [`  - split: ${split}`, '    path:', ...paths.map((path) => `    - ${path}`)];
}

function page({ report, format }: CardInfo): string {
  const { splits, models, providers, tokens, redacted, llmproxy, kept } = report;
  const hidden = Object.keys(redacted);
  return [
    '# Conversations from request logs\n',
    `${kept} rows in the format \`${format.name}\` (${format.summary}), made by llmproxy ${llmproxy}.\n`,
    '```python',
    'from datasets import load_dataset',
    'dataset = load_dataset("./this-directory")',
    '```\n',
    table('Split', splits),
    table('Model', models),
    table('Provider', providers),
    tokens.rows > 0
      ? `${tokens.input + tokens.output} tokens by the providers' count, ${tokens.output} of them answered.\n`
      : '',
    hidden.length > 0
      ? `Hidden in all texts: ${hidden.join(', ')}.\n`
      : 'Personal data and secrets were not looked for.\n',
    'The rows are what people asked and models answered. They may hold personal data, and the terms of the providers above',
    'say what may be trained on them. `manifest.json` says what was read, and what was left out and why.\n',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Names that a card shows of each kind. */
const SHOWN = 20;

function table(title: string, counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts)
    .slice(0, SHOWN)
    .map(([name, count]) => `| ${name.replaceAll('|', '\\|').replaceAll('\n', ' ')} | ${count} |`);
  return [`| ${title} | Rows |`, '|---|---|', ...rows, ''].join('\n');
}
