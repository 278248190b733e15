/** Compares what a provider says it charged with what the log says was used. */
import type { Bill, BillRow } from './bills.ts';
import type { UsageOptions } from './options.ts';
import type { PriceSetup } from './pricing.ts';
import type { UsageReport, UsageRow } from './report.ts';
import { vendorOf } from './pricing.ts';
import { usageOf } from './usage.ts';

/** What one side says of a day and a model. Null where it says nothing of the kind. */
export type Side = Omit<BillRow, 'day' | 'model'>;

export interface ReconciledRow {
  readonly day: string;
  /** Without the date of a snapshot; null where the bill sums up all models. */
  readonly model: string | null;
  readonly theirs: Side;
  readonly ours: Side;
  /** Theirs less ours. */
  readonly difference: Side;
  /** Requests of ours that have no price, and those that were cut or left before their usage was known. */
  readonly unpriced: number;
  readonly cut: number;
  readonly ids: { readonly unpriced: readonly string[]; readonly cut: readonly string[] };
}

export interface Reconciliation {
  readonly object: 'usage.reconciliation';
  readonly vendor: string;
  /** Which file it is, in words. */
  readonly file: string;
  /** Providers of the configuration, or of the log, whose requests are compared. */
  readonly providers: readonly string[];
  readonly prices: UsageReport['prices'];
  readonly rows: readonly ReconciledRow[];
  readonly total: Omit<ReconciledRow, 'day' | 'model' | 'ids'>;
  /** Rows of the bill that could not be read. */
  readonly unreadable: number;
}

export interface ReconcileOptions extends Pick<UsageOptions, 'inputs' | 'prices' | 'threads'> {
  readonly bill: Bill;
  /** By which a provider's vendor is known. */
  readonly setup: PriceSetup;
  /** Providers that the bill is of; those of its vendor when left out. */
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

/** Pairs of the same day and model. Where the bill names no model at all, days are compared. */
function compared(theirs: readonly BillRow[], ours: readonly UsageRow[]): ReconciledRow[] {
  const pairs = new Map<string, Pair>();
  const byModel = theirs.some(({ model }) => model !== null);
  const pairOf = (day: string, named: string | null): Pair => {
    const model = named === null || !byModel ? null : plainModel(named);
    return pairs.getOrInsertComputed(`${day} ${model ?? ''}`, () => ({ day, model, theirs: [], ours: [] }));
  };
  for (const row of theirs) pairOf(row.day, row.model).theirs.push(row);
  for (const row of ours) pairOf(row.group.day!, row.group.upstream_model ?? '').ours.push(row);
  // What is in the bill in one file, such as costs alone, is all that can be compared.
  const told = sideOf(theirs);
  return [...pairs.values()]
    .map((pair) => reconciled(pair, told))
    .toSorted((a, b) =>
      a.day < b.day ? -1 : a.day > b.day ? 1 : (b.theirs.cost ?? 0) - (a.theirs.cost ?? 0),
    );
}

function reconciled({ day, model, theirs, ours }: Pair, told: Side): ReconciledRow {
  const bill = theirs.length === 0 ? zeros(told) : sideOf(theirs);
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

/** What nobody tells stays untold. */
function sideOf(rows: readonly Side[]): Side {
  return sideMade((field) => {
    const told = rows.map((row) => row[field]).filter((each) => each !== null);
    return told.length === 0 ? null : sumOf(told);
  });
}

/** A day or a model that is not in the bill was charged nothing of what the bill tells. */
function zeros(told: Side): Side {
  return sideMade((field) => (told[field] === null ? null : 0));
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

/** Sums of binary fractions end in noise. */
function round(value: number): number {
  return Math.round(value * 1e10) / 1e10;
}

/**
 * A model's name as all agree on it: "Claude Sonnet 4.5", "claude-sonnet-4-5-20250929" and "claude-sonnet-4-5" are one, and so
 * are "gpt-4o" and "gpt-4o-2024-08-06". A price goes by the snapshot; the requests of both are summed up.
 */
export function plainModel(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[\s.]+/g, '-')
    .replace(/:[a-z]+$/, '')
    .replace(/-(?:\d{4}-\d\d-\d\d|20\d{6}|latest)$/, '');
}
