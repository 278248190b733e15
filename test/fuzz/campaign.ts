/** Runs cases against the real program on real sockets, and tells of each that breaks what must hold. */
import type { Case, Side } from './case.ts';
import type { Seen } from './oracle.ts';
import type { FuzzUpstream } from './upstream.ts';
import type { FuzzedProxy } from './proxy.ts';
import { makeCase } from './case.ts';
import { send } from './client.ts';
import { draftRequest, sendingOf } from './draft-request.ts';
import { isKnown } from './known.ts';
import { configOf, DEADLINE_MS, LANES, modelOf, SLOTS } from './lanes.ts';
import { isRecorded, problemsOf } from './oracle.ts';
import { startProxy, told } from './proxy.ts';
import { fuzzUpstream } from './upstream.ts';

/** What waits longer than all that the configuration allows, milliseconds; a busy machine included. */
const HUNG_MS = DEADLINE_MS * 3;
/** How long one request may hold the event loop, milliseconds. */
export const HELD_MS = 50;
/** Suspects of a long wait are tried again alone, and this often. */
const RETRIES = 3;
/** A record that does not come by then is missing, milliseconds. */
const RECORD_MS = 5_000;
/** How long a provider may take to be ready again, where its configuration lets it be away for 1 ms. */
const RECOVERS_MS = 200;
/** How many cases are tried again to find whose doing something is. */
const MOST_SUSPECTS = 30;
/** Between two looks at the providers' health and at the memory, milliseconds. */
const BATCH_MS = 6_000;

export interface Finding {
  readonly case: Case | undefined;
  readonly problems: readonly string[];
  readonly seen?: Seen;
  /** Which of its steps are needed. */
  readonly keep?: readonly number[];
}

export interface CampaignOptions {
  /** That starts the program. */
  readonly command: readonly string[];
  readonly seed: number;
  /** Of the first case. */
  readonly first: number;
  /** Ends it; by then the cases that run come to their end. */
  readonly until: (count: number) => boolean;
  readonly onFinding: (finding: Finding) => void;
}

export interface Tally {
  cases: number;
  readonly statuses: Map<string, number>;
  readonly outcomes: Map<string, number>;
  grownMb: number;
  lastMb: number;
  /** Waits that were not found again when their case ran alone. */
  unconfirmed: number;
}

const SIDES: readonly Side[] = ['request', 'answer'];

/** A case that is over, and when it ran, by `Date.now()`. */
interface Past {
  readonly fuzzed: Case;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A proxy for each side: what providers answer to one must not matter to the other. */
interface Stage extends AsyncDisposable {
  readonly upstream: FuzzUpstream;
  readonly proxies: ReadonlyMap<Side, FuzzedProxy>;
}

async function setStage(command: readonly string[], sides: readonly Side[] = SIDES): Promise<Stage> {
  const upstream = await fuzzUpstream();
  const start = async (side: Side): Promise<[Side, FuzzedProxy]> => [
    side,
    await startProxy(command, (directory) => configOf(upstream.url, directory, side), HELD_MS),
  ];
  const proxies = new Map(await Promise.all(sides.map(start)));
  return {
    upstream,
    proxies,
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

export async function campaign(options: CampaignOptions): Promise<Tally> {
  const { command, seed, onFinding } = options;
  await using stage = await setStage(command);
  const tally: Tally = {
    cases: 0,
    statuses: new Map(),
    outcomes: new Map(),
    grownMb: 0,
    lastMb: 0,
    unconfirmed: 0,
  };
  const running = new Map<number, { fuzzed: Case; fromMs: number }>();
  const over: Past[] = [];
  const memory = new Memory(stage);
  let next = options.first;

  const worker = async (slot: number, endMs: number): Promise<void> => {
    while (performance.now() < endMs && !options.until(next - options.first)) {
      const number = next++;
      const fuzzed = makeCase(seed, number, slot);
      const fromMs = Date.now();
      running.set(number, { fuzzed, fromMs });
      const seen = await runCase(stage, fuzzed);
      running.delete(number);
      over.push({ fuzzed, fromMs, toMs: Date.now() });
      tally.cases += 1;
      add(tally.statuses, `${fuzzed.side} ${seen.got.left ? 'left' : seen.got.status}`);
      for (const { outcome, fault } of seen.records)
        add(tally.outcomes, fault ? `${outcome} (${fault})` : outcome);
      const problems = (await problemsOf(fuzzed, seen)).filter((problem) => !isKnown(problem));
      if (problems.length > 0) onFinding(await shrunk(command, { case: fuzzed, problems, seen }));
    }
  };

  while (!options.until(next - options.first)) {
    const began = next;
    await Promise.all(Array.from({ length: SLOTS }, (_, slot) => worker(slot, performance.now() + BATCH_MS)));
    for (const problem of await healthProblems(stage, SLOTS)) {
      const [, lane, side] = /provider (\S+)-\d+ of the (\w+)s/.exec(problem) ?? [];
      const suspects = over.filter(
        ({ fuzzed }) =>
          fuzzed.side === (side ?? fuzzed.side) && fuzzed.lane.name === (lane ?? fuzzed.lane.name),
      );
      const culprit = await blamed(
        command,
        suspects.map(({ fuzzed }) => fuzzed),
        problem,
      );
      onFinding(culprit ?? { case: undefined, problems: [`${problem} (cases ${began} to ${next - 1})`] });
    }
    for (const finding of await complained(stage, over, command)) onFinding(finding);
    await slowOnes(stage, over, command, tally, onFinding);
    over.length = 0;
    memory.look();
    for (const proxy of stage.proxies.values()) {
      for (const line of proxy.log.broken.splice(0))
        onFinding({ case: undefined, problems: [`a line of the log is no record: ${line}`] });
    }
    const died = [...stage.proxies].flatMap(([side, proxy]) =>
      proxy.died()
        ? [`the proxy of the ${side}s died: ${proxy.died()}\n${told(proxy.complaints).slice(-2_000)}`]
        : [],
    );
    if (died.length > 0) {
      onFinding({ case: undefined, problems: died });
      break;
    }
  }
  const { grownMb, lastMb, problem } = memory.verdict();
  Object.assign(tally, { grownMb, lastMb });
  if (problem) onFinding({ case: undefined, problems: [problem] });
  return tally;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

async function runCase({ upstream, proxies }: Stage, fuzzed: Case): Promise<Seen> {
  const { number, plan, id, side } = fuzzed;
  const proxy = proxies.get(side)!;
  if (plan) upstream.script(number, plan);
  const got = await send(proxy.port, fuzzed.sending, HUNG_MS);
  const begun = isRecorded(got) || (got.left && fuzzed.sending.leaves !== undefined);
  const limit = performance.now() + (got.left ? 300 : begun ? RECORD_MS : 0);
  const ids = new Set([id, got.headers.get('x-request-id') ?? id]);
  proxy.log.look();
  while (!proxy.log.has(id) && performance.now() < limit && !proxy.died()) {
    await Bun.sleep(15);
    proxy.log.look();
  }
  return { got, asked: upstream.take(number), records: [...ids].flatMap((each) => proxy.log.take(each)) };
}

/** Runs a case on a stage of its own. @returns what it breaks */
export async function alone(
  command: readonly string[],
  fuzzed: Case,
): Promise<{ problems: string[]; seen: Seen; heldMs: number }> {
  await using stage = await setStage(command, [fuzzed.side]);
  // The first requests are slower than all others.
  for (const [at] of LANES.entries()) await good(stage, fuzzed.side, at, 1);
  const proxy = stage.proxies.get(fuzzed.side)!;
  await Bun.sleep(50);
  proxy.slow.length = 0;
  const seen = await runCase(stage, fuzzed);
  await Bun.sleep(150);
  const problems = await problemsOf(fuzzed, seen);
  const said = complaintsIn(told(proxy.complaints));
  if (said && !isKnown(`the proxy complained: ${said}`)) problems.push(`the proxy complained: ${said}`);
  const died = proxy.died();
  if (died) problems.push(`the proxy died: ${died}`);
  else problems.push(...(await healthProblems(stage, 1)));
  return { problems, seen, heldMs: Math.max(0, ...proxy.slow.map(({ heldMs }) => heldMs)) };
}

/** How long a case holds the event loop when it runs alone: the least of several runs. */
async function heldAlone(command: readonly string[], fuzzed: Case): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RETRIES && least > HELD_MS; run += 1) {
    const { heldMs } = await alone(command, makeCase(fuzzed.seed, fuzzed.number, 0));
    least = Math.min(least, heldMs);
  }
  return least;
}

async function slowOnes(
  { proxies }: Stage,
  over: readonly Past[],
  command: readonly string[],
  tally: Tally,
  onFinding: (finding: Finding) => void,
): Promise<void> {
  for (const [side, proxy] of proxies) {
    for (const slow of proxy.slow.splice(0).filter(({ heldMs }) => heldMs > HELD_MS)) {
      // Its record is written, and its memory given back, behind the answer.
      const during = over.filter(
        ({ fuzzed, fromMs, toMs }) => fuzzed.side === side && fromMs < slow.toMs && toMs + 300 > slow.fromMs,
      );
      const suspects = during.sort((a, b) => weight(b.fuzzed) - weight(a.fuzzed)).slice(0, 3);
      let found = false;
      for (const { fuzzed } of suspects) {
        if (weight(fuzzed) < 20_000 && suspects.length > 1 && found) break;
        const heldMs = await heldAlone(command, fuzzed);
        if (heldMs <= HELD_MS) continue;
        found = true;
        onFinding({ case: fuzzed, problems: [`it holds the event loop for ${Math.round(heldMs)} ms`] });
      }
      if (!found) tally.unconfirmed += 1;
    }
  }
}

/** What is large is more likely to be slow. */
function weight({ sending, number, seed, side }: Case): number {
  if (side === 'request') return sending.body.length;
  const { plan } = makeCase(seed, number, 0);
  const body = { path: '/v1/chat/completions', body: {}, stream: true };
  return plan?.(body, 0).body.length ?? 0;
}

/** Steps are left out one by one, as long as something still breaks. */
async function shrunk(command: readonly string[], finding: Finding): Promise<Finding> {
  const { seed, number, steps } = finding.case!;
  const first = makeCase(seed, number, 0);
  const whole = await alone(command, first);
  if (whole.problems.length === 0)
    return { ...finding, problems: [...finding.problems, '(not when it runs alone)'] };
  let keep = Array.from({ length: steps }, (_, at) => at);
  let last = { case: first, ...whole };
  for (const without of keep.toReversed()) {
    if (keep.length === 1) break;
    const fewer = keep.filter((at) => at !== without);
    const fuzzed = makeCase(seed, number, 0, fewer);
    const { problems, seen } = await alone(command, fuzzed);
    if (!problems.some((problem) => sortOf(problem) === sortOf(whole.problems[0]!))) continue;
    keep = fewer;
    last = { case: fuzzed, problems, seen, heldMs: 0 };
  }
  return { case: last.case, problems: last.problems, seen: last.seen, keep };
}

/** Problems of one sort: numbers and quoted words differ from case to case. */
export function sortOf(problem: string): string {
  return problem.replaceAll(/"[^"]*"|\d+(?:\.\d+)?/g, '…').slice(0, 120);
}

/** Which of these cases breaks the same when it runs alone. */
async function blamed(
  command: readonly string[],
  cases: readonly Case[],
  problem: string,
): Promise<Finding | undefined> {
  for (const { seed, number } of cases.slice(0, MOST_SUSPECTS)) {
    const fuzzed = makeCase(seed, number, 0);
    const { problems, seen } = await alone(command, fuzzed);
    if (problems.some((each) => sortOf(each) === sortOf(problem))) return { case: fuzzed, problems, seen };
  }
  return undefined;
}

/** What the program said of defects since the last look, and which case made it say so. */
async function complained(
  { proxies }: Stage,
  over: readonly Past[],
  command: readonly string[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [side, proxy] of proxies) {
    const complaints = proxy.complaints.splice(0);
    const said = complaintsIn(told(complaints));
    if (said === undefined || isKnown(`the proxy complained: ${said}`)) continue;
    const first = complaints.find(({ text }) => complaintsIn(text) !== undefined)?.atMs ?? 0;
    const during = over.filter(
      ({ fuzzed, fromMs, toMs }) => fuzzed.side === side && fromMs <= first && toMs + 300 > first,
    );
    const culprit = await blamed(
      command,
      during.map(({ fuzzed }) => fuzzed),
      `the proxy complained: ${said}`,
    );
    findings.push(
      culprit ?? { case: undefined, problems: [`the proxy of the ${side}s complained: ${said}`] },
    );
  }
  return findings;
}

/** A good request, for a lane. @returns why it is not answered well */
async function good(stage: Stage, side: Side, at: number, slot: number): Promise<string | undefined> {
  const { port, log } = stage.proxies.get(side)!;
  const lane = LANES[at]!;
  const endpoint = lane.name === 'titan' ? 'embeddings' : 'chat/completions';
  const rest = lane.name === 'titan' ? { input: 'hi' } : { messages: [{ role: 'user', content: 'hi' }] };
  const json = { model: modelOf(lane, slot, 'good'), ...rest };
  const id = `good-${side}-${at}-${slot}`;
  const sending = sendingOf(draftRequest(`/v1/${endpoint}`, { json, stream: false }, id));
  const { status, body } = await send(port, sending, HUNG_MS);
  log.look();
  log.take(id);
  if (status === 200) return undefined;
  return `the provider ${lane.name}-${slot} of the ${side}s does not answer a good request: ${status} ${body.toString().slice(0, 200)}`;
}

/** The same; where answers are what is changed, providers have a moment to be ready again, and so has a busy machine. */
async function goodSoon(stage: Stage, side: Side, at: number, slot: number): Promise<string | undefined> {
  const first = await good(stage, side, at, slot);
  if (first === undefined || side === 'request') return first;
  await Bun.sleep(RECOVERS_MS);
  return await good(stage, side, at, slot);
}

interface Health {
  readonly in_flight: number;
}

/** All providers answer, and nothing is left behind. */
async function healthProblems(stage: Stage, slots: number): Promise<string[]> {
  const problems: string[] = [];
  for (const [side, proxy] of stage.proxies) {
    if (proxy.died()) continue;
    const all = LANES.flatMap((_, at) =>
      Array.from({ length: slots }, (__, slot) => goodSoon(stage, side, at, slot)),
    );
    const found = (await Promise.all(all)).filter((each) => each !== undefined);
    problems.push(...found.slice(0, 2));
    const limit = performance.now() + HUNG_MS;
    let flying = Infinity;
    while (performance.now() < limit) {
      const { in_flight: now } = (await (await fetch(`${proxy.url}/health`)).json()) as Health;
      flying = now;
      if (now === 0 && stage.upstream.open() === 0) break;
      await Bun.sleep(20);
    }
    if (flying > 0) problems.push(`${flying} of the ${side}s are still in flight`);
    else if (stage.upstream.open() > 0)
      problems.push(
        `${stage.upstream.open()} answers to the ${side}s are still wanted, although nobody waits`,
      );
  }
  return problems;
}

/** Defects of the program by what it says of them: the error, and the first lines of its stack. */
function complaintsIn(text: string): string | undefined {
  const lines = text
    .split('\n')
    .filter((line) => /^\s+at \S|told once|^\w*(?:Error|error|panic)\b.*:/.test(line));
  return lines.length === 0
    ? undefined
    : lines
        .slice(0, 5)
        .map((line) => line.trim())
        .join(' | ');
}

/** Memory is looked at when nothing is under way. */
class Memory {
  readonly #stage: Stage;
  readonly #samples: number[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  look(): void {
    let sum = 0;
    for (const proxy of this.#stage.proxies.values()) sum += proxy.residentMb();
    this.#samples.push(sum);
  }

  /** The least of the last quarter beside the least of the second one: the first warms up, and the collector swings. */
  verdict(): { grownMb: number; lastMb: number; problem?: string } {
    const quarter = this.#samples.length >> 2;
    const lastMb = Math.round(this.#samples.at(-1) ?? 0);
    if (quarter < 3) return { grownMb: 0, lastMb };
    const least = (from: number) => Math.min(...this.#samples.slice(from, from + quarter));
    const [before, after] = [least(quarter), least(this.#samples.length - quarter)];
    const grownMb = Math.round(after - before);
    const problem = `memory grew from ${Math.round(before)} to ${Math.round(after)} MB`;
    return grownMb > Math.max(96, before * 0.5) ? { grownMb, lastMb, problem } : { grownMb, lastMb };
  }
}
