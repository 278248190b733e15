/** Runs cases against the real program on real sockets, and reports each that breaks an invariant. */
import type { Finding } from './alone.ts';
import type { Stage } from './stage.ts';
import type { Past } from './waits.ts';
import { blamed, shrunk } from './alone.ts';
import { makeCase } from './case.ts';
import { complaintsIn } from './complaints.ts';
import { isKnown } from './known.ts';
import { SLOTS } from './lanes.ts';
import { LOOK_MS, MemoryWatch } from './memory-watch.ts';
import { problemsOf } from './oracle.ts';
import { told } from './proxy.ts';
import { healthProblems, runCase, setStage } from './stage.ts';
import { longWaits } from './waits.ts';

/** The interval between two checks of the providers' health, in milliseconds. */
const BATCH_MS = 6_000;

export interface CampaignOptions {
  /** The command that starts the program. */
  readonly command: readonly string[];
  readonly seed: number;
  /** The number of the first case. */
  readonly first: number;
  /** Whether to stop; cases that are running then are completed. */
  readonly until: (count: number) => boolean;
  readonly onFinding: (finding: Finding) => void;
}

export interface Tally {
  cases: number;
  readonly statuses: Map<string, number>;
  readonly outcomes: Map<string, number>;
  grownMb: number;
  lastMb: number;
  /** Memory at each check, in MB. */
  residentMb: readonly number[];
  /** Long waits that did not recur when their case ran alone. */
  unconfirmed: number;
}

/** Runs cases until it is told to stop. @returns what was found */
export async function campaign(options: CampaignOptions): Promise<Tally> {
  const { command, seed, onFinding } = options;
  await using stage = await setStage(command);
  const tally: Tally = {
    cases: 0,
    statuses: new Map(),
    outcomes: new Map(),
    grownMb: 0,
    lastMb: 0,
    residentMb: [],
    unconfirmed: 0,
  };
  const over: Past[] = [];
  const memory = new MemoryWatch(stage);
  const looking = setInterval(() => memory.look(), LOOK_MS);
  let next = options.first;

  const worker = async (slot: number, endMs: number): Promise<void> => {
    while (performance.now() < endMs && !options.until(next - options.first)) {
      const number = next++;
      const fuzzed = makeCase(seed, number, slot);
      const fromMs = Date.now();
      const seen = await runCase(stage, fuzzed);
      over.push({ fuzzed, fromMs, toMs: Date.now() });
      tally.cases += 1;
      add(tally.statuses, `${fuzzed.side} ${seen.got.left ? 'left' : seen.got.status}`);
      for (const { outcome, fault } of seen.records)
        add(tally.outcomes, fault ? `${outcome} (${fault})` : outcome);
      const problems = (await problemsOf(fuzzed, seen)).filter((problem) => !isKnown(problem));
      if (problems.length === 0) continue;
      const finding = await shrunk(command, { case: fuzzed, problems, seen });
      if (finding) onFinding(finding);
      else tally.unconfirmed += 1;
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
    tally.unconfirmed += await longWaits(stage, over, command, onFinding);
    over.length = 0;
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
  clearInterval(looking);
  const { grownMb, lastMb, problem } = memory.verdict();
  Object.assign(tally, { grownMb, lastMb, residentMb: memory.samples });
  if (problem) onFinding({ case: undefined, problems: [problem] });
  return tally;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** The program's reports of defects since the last check, and the case that caused them. */
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
      ({ fuzzed, fromMs, toMs }) => fuzzed.side === side && fromMs <= first && toMs + 1_000 > first,
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
