/**
 * `make fuzz`: mutates requests and answers at random, from a seed, and sends them between real clients, the program
 * and scripted providers on real sockets. Reports each case that breaks an invariant, with the command that runs it
 * again. Exits 1 if there is one.
 * Usage: bun scripts/fuzz.ts [--seed N] [--minutes M] [--cases N] [--case N] [--keep 0,2] [--source] [--show N]
 *   --seed   seed of all cases; random by default        --minutes  how long to run
 *   --cases  maximum number of cases                     --case     run only this case
 *   --keep   keep only these mutations of the case       --source   run the program from source, not compiled
 *   --show   number of findings to print in full
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { BINARY, built } from '../test/helpers/binary.ts';
import type { Finding } from '../test/fuzz/alone.ts';
import { alone, sortOf } from '../test/fuzz/alone.ts';
import { campaign } from '../test/fuzz/campaign.ts';
import { HELD_MS } from '../test/fuzz/stage.ts';
import { makeCase } from '../test/fuzz/case.ts';
import { describe } from '../test/fuzz/describe.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    minutes: { type: 'string', default: '1' },
    cases: { type: 'string' },
    case: { type: 'string' },
    keep: { type: 'string' },
    source: { type: 'boolean', default: false },
    show: { type: 'string', default: '8' },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);
const seed = Number(values.seed);
if (!values.source) built();
const command = values.source
  ? [process.execPath, '--no-env-file', join(import.meta.dir, '../src/main.ts')]
  : [BINARY];

async function runOne(number: number): Promise<boolean> {
  const keep = values.keep?.split(',').map(Number);
  const { problems, seen, heldMs } = await alone(command, makeCase(seed, number, 0, keep));
  const fuzzed = makeCase(seed, number, 0, keep);
  for (const { ask } of seen.asked) fuzzed.plan?.(ask, 0);
  const held = heldMs > HELD_MS ? [`it holds the event loop for ${Math.round(heldMs)} ms`] : [];
  say(describe({ case: fuzzed, problems: [...problems, ...held], seen }));
  return problems.length + held.length === 0;
}

async function runMany(): Promise<boolean> {
  const sorts = new Map<string, number[]>();
  let shown = 0;
  const onFinding = (finding: Finding): void => {
    const sort = sortOf(finding.problems[0] ?? '');
    const known = sorts.get(sort);
    sorts.set(sort, [...(known ?? []), finding.case?.number ?? -1]);
    if (known || shown >= Number(values.show)) return;
    shown += 1;
    say(`\n${describe(finding)}`);
  };
  const began = performance.now();
  const endMs = began + Number(values.minutes) * 60_000;
  const most = values.cases === undefined ? Infinity : Number(values.cases);
  const until = (count: number) => count >= most || performance.now() > endMs;
  say(`seed ${seed}`);
  const tally = await campaign({ command, seed, first: 0, until, onFinding });
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 16)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  say(`\n${tally.cases} cases from seed ${seed} in ${Math.round((performance.now() - began) / 1000)} s`);
  say(`statuses: ${list(tally.statuses)}`);
  say(`records: ${list(tally.outcomes)}`);
  const every = Math.ceil(tally.residentMb.length / 20);
  say(`memory, MB: ${tally.residentMb.filter((_, at) => at % every === 0).join(' ')}`);
  say(
    `memory: ${tally.lastMb} MB, ${tally.grownMb} MB more than before; long waits that were not found again: ${tally.unconfirmed}`,
  );
  for (const [sort, numbers] of sorts)
    say(`${numbers.length} times, such as CASE=${numbers.slice(0, 5).join(', ')}: ${sort}`);
  say(sorts.size === 0 ? 'all held' : `broken: ${sorts.size} sorts`);
  return sorts.size === 0;
}

if (!(values.case === undefined ? await runMany() : await runOne(Number(values.case)))) process.exitCode = 1;
process.exit();
