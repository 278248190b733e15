import type { Sums, UsageReport, UsageRow } from '../usage/report.ts';
import type { NumberTable } from './number-table.ts';
import { amount, dollars } from './amounts.ts';
import { hasRoom, numberTable } from './number-table.ts';
import { plainLine, wrapped } from './wrap.ts';

interface Column {
  readonly head: string;
  readonly text: (sums: Sums) => string;
}

const REQUESTS: Column = { head: 'REQUESTS', text: ({ requests }) => amount(requests) };
const ERRORS: Column = { head: 'ERRORS', text: ({ errors }) => amount(errors) };
const INPUT: Column = { head: 'IN', text: ({ input_tokens: tokens }) => amount(tokens) };
const CACHED: Column = { head: 'CACHED', text: ({ cached_tokens: tokens }) => amount(tokens) };
const OUTPUT: Column = { head: 'OUT', text: ({ output_tokens: tokens }) => amount(tokens) };
const COST: Column = {
  head: 'COST',
  text: ({ cost, unpriced }) => (cost === 0 && unpriced > 0 ? '-' : dollars(cost)),
};

/** From the most detailed to one that always fits. */
const LAYOUTS: readonly (readonly Column[])[] = [
  [REQUESTS, ERRORS, INPUT, CACHED, OUTPUT, COST],
  [REQUESTS, ERRORS, INPUT, OUTPUT, COST],
  [REQUESTS, INPUT, OUTPUT, COST],
  [REQUESTS, COST],
];

export interface TextOptions {
  /** The width of the terminal; `Infinity` when the output is not a terminal, which prints a table without bars. */
  readonly width: number;
  readonly color: boolean;
}

/** The report as text: a table, and below it what its sums leave out. */
export function usageText(report: UsageReport, { width, color }: TextOptions): string {
  const shown = report.by.length === 0 ? totalTable(report) : usageTable(report, width);
  const paint = color ? (bar: string) => `\x1b[36m${bar}\x1b[39m` : undefined;
  const notes = notesOf(report).flatMap((note) => wrapped(note, width));
  return [
    ...wrapped(spanText(report), width),
    '',
    numberTable(shown, width, paint),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].join('\n');
}

function spanText({ since, until, first, last, time_zone: zone, total, prices }: UsageReport): string {
  const from = since ?? first;
  const to = until ?? last;
  const span = from === null || to === null ? 'No request yet' : `${dayTime(from)} to ${dayTime(to)} UTC`;
  const days = zone === 'UTC' ? '' : `, days of ${zone}`;
  const priced = prices === 'now' ? ', at current prices' : '';
  return total.requests === 0 ? `${span}: no request` : `${span}${days}${priced}`;
}

function dayTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}

function totalTable({ total }: UsageReport): NumberTable {
  const rows = LAYOUTS[0]!.map(({ head, text }) => ({
    names: [head.toLowerCase()],
    numbers: [text(total)],
  }));
  return { names: [''], numbers: [''], rows };
}

function usageTable(report: UsageReport, width: number): NumberTable {
  const { total } = report;
  const empty = [...(total.errors === 0 ? [ERRORS] : []), ...(total.cached_tokens === 0 ? [CACHED] : [])];
  const tables = LAYOUTS.map((layout) =>
    tableOf(
      report,
      layout.filter((column) => !empty.includes(column)),
    ),
  );
  return tables.find((table) => hasRoom(table, width)) ?? tables.at(-1)!;
}

function tableOf({ by, rows, others, total }: UsageReport, columns: readonly Column[]): NumberTable {
  const numbers = (sums: Sums) => columns.map(({ text }) => text(sums));
  // If nothing has a price, bars show requests.
  const size = (sums: Sums) => (total.cost > 0 ? sums.cost : sums.requests);
  const rest = by.slice(1).map(() => '');
  return {
    names: by.map((facet) => facet.toUpperCase()),
    numbers: columns.map(({ head }) => head),
    rows: [
      ...rows.map((row) => ({ names: namesOf(row, by), numbers: numbers(row), size: size(row) })),
      ...(others ? [{ names: [`${others.rows} more`, ...rest], numbers: numbers(others) }] : []),
    ],
    total: { names: ['total', ...rest], numbers: numbers(total) },
  };
}

/** Clients choose names of models, users and tags: they must not control the terminal. */
function namesOf({ group }: UsageRow, by: readonly string[]): string[] {
  return by.map((facet) => {
    const name = group[facet] ?? null;
    return name === null ? '-' : plainLine(name);
  });
}

/** What the sums leave out. */
function notesOf({ total, unpriced_models: models, unreadable }: UsageReport): string[] {
  const { unpriced, cut, untold, aborted, estimated_cost: estimated } = total;
  const named = models.map(plainLine).join(', ');
  return [
    ...(aborted > 0 ? [`${requests(aborted)} aborted by the client.`] : []),
    ...(unpriced > 0
      ? [
          `${requests(unpriced)} without a known price, not included in the cost: ${named}. Set their price in \`prices\` of the configuration.`,
        ]
      : []),
    ...(cut > 0
      ? [`${requests(cut)} cut off or aborted before all usage was reported: these may have cost more.`]
      : []),
    ...(untold > 0 ? [`${requests(untold)} answered without reported usage.`] : []),
    ...(estimated > 0 ? [`The unreported usage is estimated at ${dollars(estimated)} more.`] : []),
    ...(unreadable > 0
      ? [`${amount(unreadable)} line${unreadable === 1 ? '' : 's'} could not be read and are not included.`]
      : []),
  ];
}

function requests(count: number): string {
  return `${amount(count)} request${count === 1 ? '' : 's'}`;
}
