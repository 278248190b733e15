/**
 * `make simulate`: worlds generated from seeds, one hour each, run through the proxy with a simulated clock, simulated
 * randomness and a simulated transport. Every violation of an invariant is reported with the seed of its world and the
 * events that led to it. Exits 1 if there is one.
 * Usage: bun scripts/simulate.ts [--seed N] [--hours N] [--jobs N] [--rules 1,2] [--show N] [--trace WORDS]
 *   --seed   of the first world; each further world has the next seed   --hours  number of worlds
 *   --jobs   number of processes                                        --rules  check only these rules
 *   --show   violations to print in full                                --trace  print events that contain these words
 */
import { parseArgs } from 'node:util';
import type { KindName } from '../test/simulate/faults.ts';
import type { Report } from '../test/simulate/run.ts';
import type { Rule, Violation } from '../test/simulate/violations.ts';
import { KIND_NAMES } from '../test/simulate/faults.ts';
import { simulate } from '../test/simulate/run.ts';
import { RULES, sortOf } from '../test/simulate/violations.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    hours: { type: 'string', default: '100' },
    jobs: { type: 'string', default: '1' },
    rules: { type: 'string', default: Object.keys(RULES).join(',') },
    show: { type: 'string', default: '5' },
    trace: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});

/** The interval between two progress messages, in milliseconds. */
const TOLD_EVERY_MS = 60_000;

/** How many kinds of violations of one rule the summary lists. */
const SORTS = 12;

const seed = Number(values.seed);
const hours = Number(values.hours);
const jobs = Math.min(hours, Number(values.jobs));
const rules = new Set(values.rules.split(',').map(Number));
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Runs the worlds in this process, in order. */
async function* runHere(): AsyncGenerator<Report> {
  const words = values.trace?.split(',');
  const tell = (line: string) => words!.some((word) => line.includes(word)) && say(line);
  for (let world = seed; world < seed + hours; world += 1) yield await simulate(world, words ? { tell } : {});
}

/** Spreads the worlds over further processes, which report each of them as a line of JSON. */
async function* runElsewhere(): AsyncGenerator<Report> {
  const share = Math.ceil(hours / jobs);
  const children = Array.from({ length: jobs }, (_, job) => {
    const own = Math.min(share, hours - job * share);
    const options = ['--child', '--seed', String(seed + job * share), '--hours', String(own)];
    return Bun.spawn([process.execPath, '--no-env-file', import.meta.path, ...options], {
      stderr: 'inherit',
    });
  });
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const reading = children.map(async ({ stdout }) => {
    for await (const line of linesOf(stdout)) await writer.write(line);
  });
  void Promise.all(reading).then(() => writer.close());
  for await (const line of readable) yield JSON.parse(line) as Report;
  for (const child of children)
    if ((await child.exited) !== 0) throw new Error('Cannot go on: a process failed');
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

class Summary {
  readonly #beganMs = performance.now();
  readonly #by = new Map<Rule, Map<string, Set<number>>>();
  readonly #outcomes: Record<string, number> = {};
  readonly #met = new Map<KindName, number>();
  #toldMs = performance.now();
  #shown = 0;
  #hours = 0;
  #requests = 0;
  #calls = 0;

  take({ seed: world, violations, requests, calls, outcomes, met }: Report): void {
    this.#hours += 1;
    this.#requests += requests;
    this.#calls += calls;
    for (const [outcome, count] of Object.entries(outcomes)) {
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + count;
    }
    for (const kind of KIND_NAMES) this.#met.set(kind, (this.#met.get(kind) ?? 0) + (met[kind] ?? 0));
    for (const violation of violations) if (rules.has(violation.rule)) this.#violated(world, violation);
    if (performance.now() - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = performance.now();
    say(`... ${this.#hours} of ${hours} hours`);
  }

  #violated(world: number, { rule, atMs, what, events }: Violation): void {
    const sorts = this.#by.get(rule) ?? new Map<string, Set<number>>();
    this.#by.set(rule, sorts);
    const sort = sortOf(what);
    sorts.set(sort, (sorts.get(sort) ?? new Set()).add(world));
    if (this.#shown >= Number(values.show)) return;
    this.#shown += 1;
    say(`\nRule ${rule} (${RULES[rule]})`);
    say(`  SEED=${world} at ${(atMs / 1000).toFixed(3)} s: ${what}`);
    for (const event of events) say(`    ${event}`);
  }

  /** Prints the summary. @returns whether no rule was violated */
  tell(): boolean {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const { user, system } = process.cpuUsage();
    const speed = `${(this.#hours / seconds).toFixed(2)} simulated hours a second`;
    say(
      `\n${this.#hours} hours from seed ${seed}, ${this.#requests} requests, ${this.#calls} calls, ${speed}`,
    );
    if (jobs <= 1)
      say(`${((this.#hours * 1e6) / (user + system)).toFixed(2)} hours for each second of the processor`);
    say(
      `records: ${Object.entries(this.#outcomes)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', ')}`,
    );
    say(`faults met: ${[...this.#met].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
    for (const [rule, sorts] of [...this.#by].sort(([a], [b]) => a - b)) {
      const worlds = new Set([...sorts.values()].flatMap((seeds) => [...seeds]));
      say(`rule ${rule}, ${RULES[rule]}: broken in ${worlds.size} worlds`);
      const often = [...sorts].sort(([, a], [, b]) => b.size - a.size).slice(0, SORTS);
      for (const [sort, seeds] of often) {
        say(`  ${seeds.size} worlds, such as SEED=${[...seeds].slice(0, 4).join(', ')}: ${sort}`);
      }
    }
    if (this.#by.size === 0) say('all held');
    return this.#by.size === 0;
  }
}

if (values.child) {
  for await (const report of runHere()) say(JSON.stringify(report));
} else {
  const summary = new Summary();
  for await (const report of jobs > 1 ? runElsewhere() : runHere()) summary.take(report);
  if (!summary.tell()) process.exitCode = 1;
}
