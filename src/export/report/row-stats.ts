import type { RowGroup } from '../convert/batch.ts';
import { FLAG, UNKNOWN_TOKENS } from '../convert/batch.ts';
import { countOf } from './text.ts';

/** Tokens over many rows; `null` if the log does not contain them. */
export interface TokenStats {
  /** The number of rows whose tokens are known. */
  readonly rows: number;
  readonly input: number;
  readonly output: number;
  readonly min: number | null;
  readonly p5: number | null;
  readonly median: number | null;
  readonly mean: number | null;
  readonly p95: number | null;
  readonly max: number | null;
}

/** Counts as plain data that can be sent to another process. */
export interface PlainStats {
  readonly rows: number;
  readonly unsuccessful: number;
  readonly omitted: number;
  readonly quoted: number;
  readonly models: Readonly<Record<string, number>>;
  readonly providers: Readonly<Record<string, number>>;
  readonly finishReasons: Readonly<Record<string, number>>;
  readonly splits: Readonly<Record<string, number>>;
  /** The number of rows by token count, and the sums of tokens. */
  readonly totals: readonly (readonly [tokens: number, rows: number])[];
  readonly input: number;
  readonly output: number;
}

/** Counts the written rows by model, provider, finish reason, split and tokens. */
export class RowStats {
  rows = 0;
  /** The number of rows whose answer failed, was truncated or filtered: what `--successful-only` excludes. */
  unsuccessful = 0;
  /** The number of rows that lack a text beside calls, which the format cannot express. */
  omitted = 0;
  /** The number of rows that were known to quote answers when they were extracted. */
  quoted = 0;
  readonly models = new Map<string, number>();
  readonly providers = new Map<string, number>();
  readonly finishReasons = new Map<string, number>();
  readonly splits = new Map<string, number>();
  /** Rows by token count: exact ranks without a number per row. */
  readonly #totals = new Map<number, number>();
  #known = 0;
  #input = 0;
  #output = 0;

  /** @param flags see FLAG in batch.ts */
  add({ model, provider, finish }: RowGroup, split: string, flags: number): void {
    this.rows += 1;
    if ((flags & FLAG.success) === 0) this.unsuccessful += 1;
    if ((flags & FLAG.omitted) !== 0) this.omitted += 1;
    if ((flags & FLAG.quoted) !== 0) this.quoted += 1;
    countOf(this.models, model === '' ? 'unknown' : model);
    countOf(this.providers, provider ?? 'unknown');
    countOf(this.finishReasons, finish ?? 'unknown');
    countOf(this.splits, split);
  }

  /** The tokens of a row, input and output; each may be {@link UNKNOWN_TOKENS}. */
  spend(input: number, output: number): void {
    if (input === UNKNOWN_TOKENS || output === UNKNOWN_TOKENS) return;
    this.#input += input;
    this.#output += output;
    this.#known += 1;
    countOf(this.#totals, input + output);
  }

  get plain(): PlainStats {
    const plain = (counts: ReadonlyMap<string, number>) => Object.fromEntries(counts);
    return {
      rows: this.rows,
      unsuccessful: this.unsuccessful,
      omitted: this.omitted,
      quoted: this.quoted,
      models: plain(this.models),
      providers: plain(this.providers),
      finishReasons: plain(this.finishReasons),
      splits: plain(this.splits),
      totals: [...this.#totals],
      input: this.#input,
      output: this.#output,
    };
  }

  /** Adds the counts of another process. */
  addPlain(stats: PlainStats): void {
    this.rows += stats.rows;
    this.unsuccessful += stats.unsuccessful;
    this.omitted += stats.omitted;
    this.quoted += stats.quoted;
    for (const name of ['models', 'providers', 'finishReasons', 'splits'] as const)
      for (const [value, count] of Object.entries(stats[name])) addTo(this[name], value, count);
    for (const [tokens, count] of stats.totals) {
      addTo(this.#totals, tokens, count);
      this.#known += count;
    }
    this.#input += stats.input;
    this.#output += stats.output;
  }

  /** Input and output together, by row. */
  tokens(): TokenStats {
    const totals = [...this.#totals].sort(([x], [y]) => x - y);
    const rank = (share: number) => valueAt(totals, Math.max(1, Math.ceil(share * this.#known)));
    const sum = this.#input + this.#output;
    return {
      rows: this.#known,
      input: this.#input,
      output: this.#output,
      min: totals[0]?.[0] ?? null,
      p5: rank(0.05),
      median: rank(0.5),
      mean: this.#known === 0 ? null : Math.round(sum / this.#known),
      p95: rank(0.95),
      max: totals.at(-1)?.[0] ?? null,
    };
  }
}

function addTo<Thing>(counts: Map<Thing, number>, thing: Thing, count: number): void {
  counts.set(thing, (counts.get(thing) ?? 0) + count);
}

/** The value of a rank from 1: an actual value, without interpolation. */
function valueAt(counts: readonly (readonly [value: number, count: number])[], rank: number): number | null {
  let before = 0;
  return counts.find(([, count]) => (before += count) >= rank)?.[0] ?? null;
}
