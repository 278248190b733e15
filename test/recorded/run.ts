/** Runs all jobs against the binary: what passed, what failed, and what a rule excused. */
import type { Aspect, Problem } from './answers/compare.ts';
import type { Lab } from './lab/lab.ts';
import type { Job } from './jobs.ts';
import { checkAnswer } from './checks/answer.ts';
import { checkBeside } from './checks/beside.ts';
import { checkFailure } from './checks/failure.ts';
import { checkRequest } from './checks/request.ts';
import { nameOf } from './jobs.ts';
import { isStream } from './answers/read.ts';
import { allowed } from './requests/refusals.ts';
import { excuse } from './rules.ts';

export interface Failure {
  readonly where: string;
  /** Kind of job, lane and protocols, such as `answer translate gemini > chat`. */
  readonly way: string;
  readonly aspect: Aspect;
  readonly text: string;
}

export interface Tally {
  asked: number;
  failed: number;
}

export interface Outcome {
  /** Results by way. */
  readonly ways: ReadonlyMap<string, Tally>;
  readonly failures: readonly Failure[];
  /** How often each rule excused something. */
  readonly rules: ReadonlyMap<string, number>;
}

/** Random numbers in [0, 1) from a seed. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Checked {
  readonly way: string;
  readonly problems: readonly Problem[];
  readonly excused: readonly string[];
}

/** @param seed determines where streams are cut and broken off */
export async function run(lab: Lab, jobs: readonly Job[], seed: number): Promise<Outcome> {
  const random = dice(seed);
  const ways = new Map<string, Tally>();
  const rules = new Map<string, number>();
  const failures: Failure[] = [];
  for (const [number, job] of jobs.entries()) {
    const { way, problems, excused } = await checked(lab, job, number, random);
    const tally = ways.get(way) ?? { asked: 0, failed: 0 };
    ways.set(way, tally);
    tally.asked += 1;
    if (problems.length > 0) tally.failed += 1;
    for (const name of new Set(excused)) rules.set(name, (rules.get(name) ?? 0) + 1);
    const where = nameOf(job.recorded);
    for (const { aspect, text } of problems) failures.push({ where, way, aspect, text });
  }
  return { ways, failures, rules };
}

async function checked(lab: Lab, job: Job, number: number, random: () => number): Promise<Checked> {
  try {
    return await check(lab, job, number, random);
  } catch (cause) {
    const text = `cannot be measured: ${(cause as Error).message}`;
    return { way: wayOf(job), problems: [{ aspect: 'status', text }], excused: [] };
  }
}

export function wayOf(job: Job): string {
  if (job.kind === 'beside') return 'beside chat';
  const [from, to] = job.kind === 'request' ? [job.client, job.target] : [job.api, job.client];
  return `${job.kind} ${from === to ? 'relay' : 'translate'} ${from} > ${to}`;
}

async function check(lab: Lab, job: Job, number: number, random: () => number): Promise<Checked> {
  const way = wayOf(job);
  const { recorded } = job;
  if (job.kind === 'beside') return { way, problems: await checkBeside(lab, recorded), excused: [] };
  if (job.kind === 'failure') {
    const { api, client } = job;
    return { way, problems: await checkFailure(lab, recorded, api, { client, number }), excused: [] };
  }
  if (job.kind === 'request') return await request(lab, job, number, way);
  const { api, client } = job;
  const { length } = recorded.body;
  const places = isStream(recorded)
    ? Array.from({ length: 5 }, () => 1 + Math.floor(random() * (length - 1)))
    : [];
  const breaksAt = job.kind === 'broken' ? 1 + Math.floor(random() * (length - 1)) : undefined;
  const cuts = places.toSorted((a, b) => a - b);
  const { wanted, problems, told } = await checkAnswer(lab, recorded, api, {
    client,
    number,
    cuts,
    breaksAt,
  });
  const excused: string[] = [];
  const left = problems.filter(({ aspect }) => {
    // A broken stream lacks its end: no rule excuses any of that.
    const rule = job.kind === 'answer' ? excuse(aspect, client, wanted, told) : undefined;
    if (rule) excused.push(rule.name);
    return !rule;
  });
  return { way, problems: left, excused };
}

async function request(
  lab: Lab,
  { recorded, client, target }: Job & { kind: 'request' },
  number: number,
  way: string,
): Promise<Checked> {
  // In Gemini's API, the path says whether to stream.
  const streams = client === 'gemini' && /:streamGenerateContent\b/.test(recorded.url);
  const body = streams ? { ...recorded.request, stream: true } : recorded.request!;
  const isOpenai = client !== 'chat' || recorded.url.includes('api.openai.com');
  const { problems, refusal } = await checkRequest(lab, body, {
    client,
    target,
    number,
    provider: recorded.provider,
    isOpenai,
  });
  if (refusal === undefined) return { way, problems, excused: [] };
  const rule = allowed(body, target, refusal);
  if (rule) return { way, problems: [], excused: [rule.name] };
  return { way, problems: [{ aspect: 'status', text: `is refused: ${refusal}` }], excused: [] };
}
