/**
 * The usage of requests over time. Each file is read once: counts are kept, and the next report continues where the
 * last one ended, so that an open page only costs reading what was logged meanwhile.
 */
import type { LogInput } from '../../../logs/input.ts';
import type { SeriesAnswer, SeriesGroup } from '../../../web/api.ts';
import type { Filter } from '../../../web/filter/parse.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { SeriesJob } from './jobs.ts';
import { basename } from 'node:path';
import { endOfDay, parseLogName } from '../../../logs/names.ts';
import { parseFilter } from '../../../web/filter/parse.ts';
import { stringOf } from '../../../wire/json.ts';
import { Cell } from './cell.ts';
import { isWanted } from './filtered.ts';
import { spanOf } from './requests.ts';
import { FollowedFiles } from './followed.ts';

/** The number of reports whose counts are kept. */
const MAX_KEPT = 8;

/** The number of names that are counted separately: clients choose them freely. */
const MAX_GROUPS = 40;

/** The number of groups that are listed; smaller ones are combined. */
const MOST_TOLD = 7;

/** The time limit for a report, milliseconds; the next one continues. */
const PATIENCE_MS = 1_500;

/** How long before the day of its file a request may have begun, milliseconds. */
const LATE_MS = 2 * 86_400_000;

export class SeriesReader {
  readonly #kept = new Map<string, Counting>();

  async read(inputs: readonly LogInput[], job: SeriesJob, nowMs: number): Promise<SeriesAnswer> {
    const { directory, by, filter, stepMs } = job;
    const key = JSON.stringify([directory, by, filter, stepMs, job.spanMs]);
    const counting = this.#kept.get(key) ?? new Counting(job);
    // The least recently used one is dropped first.
    this.#kept.delete(key);
    this.#kept.set(key, counting);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return await counting.look(inputs, nowMs);
  }
}

/** The key of a group: a name, null for none, or the one for everything above the limit. */
type Group = string | null | typeof OTHERS;

const OTHERS = Symbol('others');

class Counting {
  readonly #job: SeriesJob;
  readonly #filter: Filter;
  readonly #wanted: (head: JsonObject) => boolean;
  readonly #files = new FollowedFiles();
  /** By the index of the bucket since 1970, then by group. */
  readonly #buckets = new Map<number, Map<Group, Cell>>();
  readonly #groups = new Set<Group>();

  constructor(job: SeriesJob) {
    this.#job = job;
    this.#filter = parseFilter(job.filter);
    this.#wanted = isWanted(this.#filter);
  }

  async look(inputs: readonly LogInput[], nowMs: number): Promise<SeriesAnswer> {
    const { stepMs, spanMs } = this.#job;
    const count = Math.ceil(spanMs / stepMs);
    const last = Math.floor(nowMs / stepMs);
    const first = last - count + 1;
    for (const at of this.#buckets.keys()) if (at < first) this.#buckets.delete(at);
    const fromMs = first * stepMs;
    const { sinceMs = -Infinity, untilMs = Infinity } = spanOf(this.#filter, nowMs);
    const complete = await this.#files.read(
      inputs.filter((input) => mayHold(input, fromMs)).toReversed(),
      { fromMs, patienceMs: PATIENCE_MS },
      (head, ms) => {
        if (ms >= sinceMs && ms <= untilMs) this.#add(head, ms, first);
      },
    );
    return { fromMs, stepMs, count, complete, ...this.#listed(first, count) };
  }

  #add(head: JsonObject, ms: number, first: number): void {
    const at = Math.floor(ms / this.#job.stepMs);
    if (at < first || !this.#wanted(head)) return;
    const named: Group = stringOf(head[this.#job.by]) ?? null;
    const group = this.#groups.has(named) || this.#groups.size < MAX_GROUPS ? named : OTHERS;
    this.#groups.add(group);
    const bucket = this.#buckets.get(at) ?? new Map<Group, Cell>();
    const cell = bucket.get(group) ?? new Cell();
    cell.add(head);
    bucket.set(group, cell);
    this.#buckets.set(at, bucket);
  }

  #listed(first: number, count: number): Pick<SeriesAnswer, 'all' | 'groups'> {
    const totals = [...this.#groups].map((group) => ({
      group,
      cell: this.#sum(first, count, (each) => each === group),
    }));
    const present = totals.filter(({ cell }) => cell.sums.requests > 0);
    present.sort(
      (a, b) => b.cell.sums.cost - a.cell.sums.cost || b.cell.sums.requests - a.cell.sums.requests,
    );
    const named = present.filter(({ group }) => group !== OTHERS).slice(0, MOST_TOLD);
    const listed = new Set(named.map(({ group }) => group));
    const rest = present.filter(({ group }) => !listed.has(group));
    const groups = named.map(({ group }) =>
      this.#group(first, count, group as string | null, (each) => each === group),
    );
    if (rest.length > 0) {
      groups.push({ ...this.#group(first, count, null, (each) => !listed.has(each)), others: true });
    }
    return { all: this.#group(first, count, null, () => true), groups };
  }

  #group(first: number, count: number, name: string | null, of: (group: Group) => boolean): SeriesGroup {
    const buckets = Array.from({ length: count }, (_, index) => {
      const cell = this.#sum(first + index, 1, of).sums;
      return cell.requests === 0 ? null : cell;
    });
    return { name, others: false, total: this.#sum(first, count, of).sums, buckets };
  }

  #sum(first: number, count: number, of: (group: Group) => boolean): Cell {
    const sum = new Cell();
    for (const [at, bucket] of this.#buckets) {
      if (at < first || at >= first + count) continue;
      for (const [group, cell] of bucket) if (of(group)) sum.merge(cell);
    }
    return sum;
  }
}

/**
 * Whether a file may contain requests since then: the name of a log file tells the day on which its records were
 * written.
 */
function mayHold({ path }: LogInput, fromMs: number): boolean {
  const log = parseLogName(basename(path).replace(/\.gz$/, ''));
  return !log || endOfDay(log.day) + LATE_MS > fromMs;
}
