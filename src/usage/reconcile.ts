/** Compares what a provider charged with what the log contains. */
import type { Bill, BillRow } from './bills.ts';
import type { UsageOptions } from './options.ts';
import type { PriceSetup } from './pricing.ts';
import type { UsageReport, UsageRow } from './report.ts';
import { vendorOf } from './pricing.ts';
import { usageOf } from './usage.ts';

/** The figures of one side for a day and a model. A field is null if that side does not have it. */
export type Side = Omit<BillRow, 'day' | 'model'>;

export interface ReconciledRow {
  readonly day: string;
  /** Without the date of a snapshot; null if the bill covers all models together. */
  readonly model: string | null;
  readonly theirs: Side;
  readonly ours: Side;
  /** The bill minus the log. */
  readonly difference: Side;
  /** Our requests without a price, and those that were cut off or abandoned before their usage was known. */
  readonly unpriced: number;
  readonly cut: number;
  readonly ids: { readonly unpriced: readonly string[]; readonly cut: readonly string[] };
}

export interface Reconciliation {
  readonly object: 'usage.reconciliation';
  readonly vendor: string;
  /** Which file it is, in words. */
  readonly file: string;
  /** The providers, from the configuration or the log, whose requests are compared. */
  readonly providers: readonly string[];
  readonly prices: UsageReport['prices'];
  readonly rows: readonly ReconciledRow[];
  readonly total: Omit<ReconciledRow, 'day' | 'model' | 'ids'>;
  /** Rows of the bill that could not be parsed. */
  readonly unreadable: number;
}

export interface ReconcileOptions extends Pick<UsageOptions, 'inputs' | 'prices' | 'threads'> {
  readonly bill: Bill;
  /** What identifies a provider's vendor. */
  readonly setup: PriceSetup;
  /** The providers that the bill covers; all of its vendor by default. */
  readonly providers?: readonly string[];
}

const DAY_MS = 86_400_000;

/** @throws InputError with a message for the user */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { bill, setup, inputs, prices, threads } = options;
  const days = bill.rows.map(({ day }) => day).toSorted();
  const [first = '1970-01-01'] = days;
  const report = await usageOf({
    inputs,
    by: ['day', 'provider', 'upstream_model'],
    timeZone: 'UTC',
    fromMs: Date.parse(first),
    untilMs: Date.parse(days.at(-1) ?? first) + DAY_MS - 1,
    ids: true,
    ...(prices ? { prices } : {}),
    ...(threads === undefined ? {} : { threads }),
  });
  const isTheirs = (name: string | null | undefined): name is string =>
    typeof name === 'string' && (options.providers?.includes(name) ?? vendorOf(setup, name) === bill.vendor);
  const ours = report.rows.filter(({ group }) => isTheirs(group.provider));
  const rows = compared(bill.rows, ours);
  return {
    object: 'usage.reconciliation',
    vendor: bill.vendor,
    file: bill.title,
    providers: [...new Set(ours.map(({ group }) => group.provider!))].toSorted(),
    prices: report.prices,
    rows,
    total: totalOf(rows),
    unreadable: bill.unreadable,
  };
}

interface Pair {
  readonly day: string;
  readonly model: string | null;
  readonly theirs: BillRow[];
  readonly ours: UsageRow[];
}

/** Pairs rows of the same day and model. If the bill names no models, whole days are compared. */
function compared(theirs: readonly BillRow[], ours: readonly UsageRow[]): ReconciledRow[] {
  const pairs = new Map<string, Pair>();
  const byModel = theirs.some(({ model }) => model !== null);
  const pairOf = (day: string, named: string | null): Pair => {
    const model = named === null || !byModel ? null : plainModel(named);
    return pairs.getOrInsertComputed(`${day} ${model ?? ''}`, () => ({ day, model, theirs: [], ours: [] }));
  };
  for (const row of theirs) pairOf(row.day, row.model).theirs.push(row);
  for (const row of ours) pairOf(row.group.day!, row.group.upstream_model ?? '').ours.push(row);
  // Only the figures that the bill contains, such as costs alone, can be compared.
  const reported = sideOf(theirs);
  return [...pairs.values()]
    .map((pair) => reconciled(pair, reported))
    .toSorted((a, b) =>
      a.day < b.day ? -1 : a.day > b.day ? 1 : (b.theirs.cost ?? 0) - (a.theirs.cost ?? 0),
    );
}

function reconciled({ day, model, theirs, ours }: Pair, reported: Side): ReconciledRow {
  const bill = theirs.length === 0 ? zeros(reported) : sideOf(theirs);
  const log: Side = {
    requests: sumOf(ours.map(({ requests }) => requests)),
    input_tokens: sumOf(ours.map(({ input_tokens: tokens }) => tokens)),
    output_tokens: sumOf(ours.map(({ output_tokens: tokens }) => tokens)),
    cost: sumOf(ours.map(({ cost }) => cost)),
  };
  return {
    day,
    model,
    theirs: bill,
    ours: log,
    difference: lessOf(bill, log),
    unpriced: sumOf(ours.map(({ unpriced }) => unpriced)),
    cut: sumOf(ours.map((row) => row.cut)),
    ids: {
      unpriced: ours.flatMap(({ ids }) => ids?.unpriced ?? []),
      cut: ours.flatMap(({ ids }) => ids?.cut ?? []),
    },
  };
}

const FIELDS = ['requests', 'input_tokens', 'output_tokens', 'cost'] as const;

function sideMade(make: (field: (typeof FIELDS)[number]) => number | null): Side {
  return Object.fromEntries(FIELDS.map((field) => [field, make(field)])) as unknown as Side;
}

/** A figure that neither side has stays null. */
function sideOf(rows: readonly Side[]): Side {
  return sideMade((field) => {
    const reported = rows.map((row) => row[field]).filter((each) => each !== null);
    return reported.length === 0 ? null : sumOf(reported);
  });
}

/** A day or model that is missing in the bill counts as zero for all figures that the bill contains. */
function zeros(reported: Side): Side {
  return sideMade((field) => (reported[field] === null ? null : 0));
}

function lessOf(a: Side, b: Side): Side {
  return sideMade((field) => {
    const [first, second] = [a[field], b[field]];
    return first === null || second === null ? null : round(first - second);
  });
}

function totalOf(rows: readonly ReconciledRow[]): Reconciliation['total'] {
  const theirs = sideOf(rows.map((row) => row.theirs));
  const ours = sideOf(rows.map((row) => row.ours));
  return {
    theirs,
    ours,
    difference: lessOf(theirs, ours),
    unpriced: sumOf(rows.map(({ unpriced }) => unpriced)),
    cut: sumOf(rows.map((row) => row.cut)),
  };
}

function sumOf(numbers: readonly number[]): number {
  return round(numbers.reduce((total, each) => total + each, 0));
}

/** Sums of binary fractions have rounding errors. */
function round(value: number): number {
  return Math.round(value * 1e10) / 1e10;
}

/**
 * The common name of a model: "Claude Sonnet 4.5", "claude-sonnet-4-5-20250929" and "claude-sonnet-4-5" are the same,
 * and so are "gpt-4o" and "gpt-4o-2024-08-06". Prices belong to snapshots, but the requests of all snapshots are added
 * up.
 */
export function plainModel(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[\s.]+/g, '-')
    .replace(/:[a-z]+$/, '')
    .replace(/-(?:\d{4}-\d\d-\d\d|20\d{6}|latest)$/, '');
}
