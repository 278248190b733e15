import type { ReconciledRow, Reconciliation, Side } from '../usage/reconcile.ts';
import type { NumberTable } from './number-table.ts';
import { amount, dollars } from './amounts.ts';
import { hasRoom, numberTable } from './number-table.ts';
import { plainLine, wrapped } from './wrap.ts';

type Compared = Omit<ReconciledRow, 'day' | 'model' | 'ids'>;

interface Column {
  readonly head: string;
  readonly of: 'tokens' | 'cost';
  readonly text: (row: Compared) => string;
}

const DAY_AND_MODEL = ['DAY', 'MODEL'] as const;

const COLUMNS: readonly Column[] = [
  { head: 'THEIR TOKENS', of: 'tokens', text: ({ theirs }) => counted(tokensOf(theirs)) },
  { head: 'OURS', of: 'tokens', text: ({ ours, theirs }) => counted(tokensOf(ours, theirs)) },
  { head: 'DIFFERENCE', of: 'tokens', text: ({ difference }) => signed(tokensOf(difference), amount) },
  { head: 'THEIR COST', of: 'cost', text: ({ theirs }) => priced(theirs.cost) },
  { head: 'OURS', of: 'cost', text: ({ ours }) => priced(ours.cost) },
  { head: 'DIFFERENCE', of: 'cost', text: ({ difference }) => signed(difference.cost, dollars) },
];

/**
 * The comparison as text.
 * @param width columns of the terminal; `Infinity` when the output is not a terminal
 */
export function reconcileText(result: Reconciliation, width: number): string {
  const { total, rows, providers, file, prices } = result;
  const shown = COLUMNS.filter(({ of }) =>
    of === 'cost' ? total.theirs.cost !== null : tokensOf(total.theirs) !== null,
  );
  // Without room for both sides, their difference is the most useful.
  const least = shown.filter(({ head }) => head === 'DIFFERENCE');
  const tables = [shown, least].map((columns) => tableOf(rows, total, columns));
  const table = tables.find((each) => hasRoom(each, width)) ?? tables.at(-1)!;
  const whose = providers.length === 0 ? 'no request of ours' : `requests to ${providers.join(', ')}`;
  const at = prices === 'now' ? ', at current prices' : '';
  return [
    ...wrapped(`${file} against ${whose}${at}, by UTC days`, width),
    '',
    numberTable(table, width),
    ...notesOf(result).flatMap((note) => ['', ...wrapped(note, width)]),
  ].join('\n');
}

function tableOf(rows: readonly ReconciledRow[], total: Compared, columns: readonly Column[]): NumberTable {
  const numbers = (row: Compared) => columns.map(({ text }) => text(row));
  return {
    names: DAY_AND_MODEL,
    numbers: columns.map(({ head }) => head),
    rows: rows.map((row) => ({
      names: [row.day, row.model === null ? 'all' : plainLine(row.model)],
      numbers: numbers(row),
    })),
    total: { names: ['total', ''], numbers: numbers(total) },
  };
}

/** Why the two sides may differ, as far as the log shows. */
function notesOf({ rows, unreadable }: Reconciliation): string[] {
  const suspects = rows
    .filter((row) => row.unpriced > 0 || row.cut > 0)
    .map(({ day, model, unpriced, cut }) => {
      const parts = [
        ...(unpriced > 0 ? [`${amount(unpriced)} without a price`] : []),
        ...(cut > 0 ? [`${amount(cut)} cut off or abandoned before all usage was reported`] : []),
      ];
      return `${day} ${model === null ? 'all models' : plainLine(model)}: ${parts.join(', ')}`;
    });
  const some = suspects.slice(0, MAX_SUSPECTS);
  const more = suspects.length - some.length;
  return [
    ...(some.length > 0
      ? [
          `Requests of ours that may explain it (--json names them): ${some.join('; ')}${more > 0 ? `; ${more} more` : ''}`,
        ]
      : []),
    ...(unreadable > 0
      ? [`${amount(unreadable)} ${unreadable === 1 ? 'row' : 'rows'} of the file could not be read.`]
      : []),
  ];
}

const MAX_SUSPECTS = 10;

/** Input and output tokens, if the bill has them. */
function tokensOf(side: Side, shown: Side = side): number | null {
  const input = shown.input_tokens === null ? null : side.input_tokens;
  const output = shown.output_tokens === null ? null : side.output_tokens;
  return input === null && output === null ? null : (input ?? 0) + (output ?? 0);
}

function counted(tokens: number | null): string {
  return tokens === null ? '-' : amount(tokens);
}

function priced(usd: number | null): string {
  return usd === null ? '-' : dollars(usd);
}

function signed(value: number | null, text: (size: number) => string): string {
  if (value === null) return '-';
  if (value === 0) return '0';
  return `${value > 0 ? '+' : '-'}${text(Math.abs(value))}`;
}
