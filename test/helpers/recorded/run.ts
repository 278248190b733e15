/** All recordings through the decoders: what passed, what failed, and what was left out for which reason. */
import type { Recorded } from './exchange.ts';
import type { Cuts } from './check.ts';
import { checkAnswer } from './check.ts';
import { checkBeside, isBeside } from './beside.ts';
import { checkError } from './faults.ts';
import { apiOf, otherEndpoint, textOf } from './exchange.ts';
import { readRecordings } from './read.ts';
import { checkRequest } from './requests.ts';
import { SKIPPED } from './skipped.ts';
import { isStream } from './truth.ts';

export interface Tally {
  /** Exchanges, and files that hold none. */
  read: number;
  passed: number;
  failed: number;
  readonly skipped: Map<string, number>;
}

/** Recorded requests of clients, each to every provider's protocol. */
export interface Requests {
  read: number;
  said: number;
  /** How often a request was refused, by the two protocols and the reason. */
  readonly refused: Map<string, number>;
}

export interface Outcome {
  readonly providers: ReadonlyMap<string, Tally>;
  readonly requests: Requests;
  /** One line each: where, and what is wrong. */
  readonly failures: readonly string[];
}

/** Numbers in [0, 1) that follow from a seed. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A stream cut at few and at many places, at every byte unless it is long, and broken off. */
function cutsOf({ body }: Recorded, random: () => number): Cuts {
  const { length } = body;
  const some = (count: number) =>
    Array.from({ length: count }, () => 1 + Math.floor(random() * Math.max(1, length - 1)));
  const ordered = (count: number) => some(count).toSorted((a, b) => a - b);
  const every = length < 16_000 ? [Array.from({ length }, (_, at) => at + 1)] : [];
  return { places: [ordered(3), ordered(40), ordered(400), ...every], ends: some(8) };
}

/** @param seed of the places where bodies are cut */
export function runRecordings(seed: number): Outcome {
  const random = dice(seed);
  const { recorded, unread } = readRecordings();
  const providers = new Map<string, Tally>();
  const requests = { read: 0, said: 0, refused: new Map<string, number>() };
  const failures: string[] = [];
  const of = (provider: string): Tally => {
    let tally = providers.get(provider);
    if (!tally) providers.set(provider, (tally = { read: 0, passed: 0, failed: 0, skipped: new Map() }));
    return tally;
  };
  const skip = (provider: string, reason: string) => {
    const { skipped } = of(provider);
    skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  };
  for (const { file, provider, reason, known } of unread) {
    of(provider).read += 1;
    if (known) skip(provider, reason);
    else failures.push(`${file}: ${reason}`);
  }
  for (const each of recorded) {
    const tally = of(each.provider);
    tally.read += 1;
    const reason = skipReason(each);
    const problems = reason === undefined ? problemsOf(each, cutsOf(each, random)) : [];
    // A client's request is one also where its answer is no measure.
    const asked = checkRequest(each);
    if (asked) {
      problems.push(...asked.problems);
      requests.read += 1;
      requests.said += asked.said;
      for (const why of asked.refused) requests.refused.set(why, (requests.refused.get(why) ?? 0) + 1);
    }
    if (problems.length > 0) tally.failed += 1;
    else if (reason === undefined) tally.passed += 1;
    else skip(each.provider, reason);
    for (const problem of new Set(problems))
      failures.push(`${each.file} #${each.at}: ${problem} (seed ${seed})`);
  }
  return { providers, requests, failures };
}

/** Why nothing is checked; `undefined` where something is, and for what nobody has looked at, which fails. */
function skipReason(recorded: Recorded): string | undefined {
  // What an error means is asked of every endpoint.
  if (recorded.status >= 400) return undefined;
  const chat = apiOf(recorded) !== undefined && recorded.method === 'POST';
  if (!chat) return isBeside(recorded) ? undefined : otherEndpoint(recorded);
  if (recorded.body.length === 0) return 'the body was not recorded';
  if (textOf(recorded.body.subarray(0, 20)).includes('\ufffd') && !isStream(recorded)) {
    return 'the body was recorded in an unreadable encoding';
  }
  return SKIPPED.find(({ file }) => recorded.file.includes(file))?.reason;
}

function problemsOf(recorded: Recorded, cuts: Cuts): string[] {
  try {
    const { status } = recorded;
    if (status < 200 || status >= 300) return checkError(recorded);
    const api = apiOf(recorded);
    if (api) return checkAnswer(recorded, api, cuts);
    return checkBeside(recorded) ?? [`is of an endpoint that nobody has looked at: ${recorded.url}`];
  } catch (cause) {
    return [`throws ${(cause as Error).message}`];
  }
}

/** A table for people, a row a provider. */
export function report({ providers, requests }: Outcome): string {
  const rows = [...providers]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([provider, { read, passed, failed, skipped }]) => {
      const reasons = [...skipped].map(([reason, count]) => `${count} ${reason}`).join('; ');
      const counts = [read, passed, failed].map((count) => String(count).padStart(6)).join('');
      return `${provider.padEnd(32)}${counts}  ${reasons}`;
    });
  const refused = [...requests.refused]
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${String(count).padStart(6)}  ${reason}`);
  return [
    `${'PROVIDER'.padEnd(32)}  READ PASSED FAILED  SKIPPED, AND WHY`,
    ...rows,
    '',
    `${requests.read} requests of clients, said to providers ${requests.said} times, refused:`,
    ...refused,
    '',
  ].join('\n');
}
