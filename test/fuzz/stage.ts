/** What a case runs on: the providers, and a proxy for each side. */
import type { Case, Side } from './case.ts';
import type { Seen } from './oracle.ts';
import type { FuzzedProxy } from './proxy.ts';
import type { FuzzUpstream } from './upstream.ts';
import { send } from './client.ts';
import { draftRequest, sendingOf } from './draft-request.ts';
import { configOf, DEADLINE_MS, LANES, modelOf } from './lanes.ts';
import { isRecorded } from './oracle.ts';
import { startProxy } from './proxy.ts';
import { fuzzUpstream } from './upstream.ts';

/** Longer than any wait that the configuration allows, even on a busy machine, in milliseconds. */
const HUNG_MS = DEADLINE_MS * 3;
/** How long one request may block the event loop, in milliseconds. */
export const HELD_MS = 50;
/** A record that does not appear within this time is missing, in milliseconds. */
const RECORD_MS = 5_000;
const LEFT_MS = 300;
/** How often a valid request is repeated, and after how long, where the configuration sets a cooldown of 1 ms. */
const RECOVERS = 5;
const RECOVERS_MS = 300;

const SIDES: readonly Side[] = ['request', 'answer'];

/** A proxy for each side: providers' answers on one side must not affect the other. */
export interface Stage extends AsyncDisposable {
  readonly upstream: FuzzUpstream;
  readonly proxies: ReadonlyMap<Side, FuzzedProxy>;
}

export async function setStage(command: readonly string[], sides: readonly Side[] = SIDES): Promise<Stage> {
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

/** Sends a case's request. @returns the result, with its records */
export async function runCase({ upstream, proxies }: Stage, fuzzed: Case): Promise<Seen> {
  const { number, plan, id, side } = fuzzed;
  const proxy = proxies.get(side)!;
  if (plan) upstream.script(number, plan);
  const got = await send(proxy.port, fuzzed.sending, HUNG_MS);
  // If the client disconnected, it is unknown how far the request got.
  const waitMs = isRecorded(got) ? RECORD_MS : got.left ? LEFT_MS : 0;
  const limit = performance.now() + waitMs;
  const ids = new Set([id, got.headers.get('x-request-id') ?? id]);
  proxy.log.look();
  while (!proxy.log.has(id) && performance.now() < limit && !proxy.died()) {
    await Bun.sleep(15);
    proxy.log.look();
  }
  return { got, asked: upstream.take(number), records: [...ids].flatMap((each) => proxy.log.take(each)) };
}

/** Sends a valid request to a lane. @returns why the answer is not valid */
export async function good(stage: Stage, side: Side, at: number, slot: number): Promise<string | undefined> {
  const { port, log } = stage.proxies.get(side)!;
  const lane = LANES[at]!;
  const endpoint = lane.name === 'titan' ? 'embeddings' : 'chat/completions';
  const rest = lane.name === 'titan' ? { input: 'hi' } : { messages: [{ role: 'user', content: 'hi' }] };
  const json = { model: modelOf(lane, slot, 'fz-good'), ...rest };
  const id = `good-${side}-${at}-${slot}`;
  const sending = sendingOf(draftRequest(`/v1/${endpoint}`, { json, stream: false }, id));
  const { status, body } = await send(port, sending, HUNG_MS);
  log.look();
  log.take(id);
  if (status === 200) return undefined;
  return `the provider ${lane.name}-${slot} of the ${side}s does not answer a good request: ${status} ${body.toString().slice(0, 200)}`;
}

/** The same with retries; on the side with mutated answers, providers and a busy machine need a moment to recover. */
async function goodSoon(stage: Stage, side: Side, at: number, slot: number): Promise<string | undefined> {
  let problem = await good(stage, side, at, slot);
  for (let left = side === 'answer' ? RECOVERS : 0; left > 0 && problem !== undefined; left -= 1) {
    await Bun.sleep(RECOVERS_MS);
    problem = await good(stage, side, at, slot);
  }
  return problem;
}

interface Health {
  readonly in_flight: number;
}

/** Checks that all providers answer, and that nothing remains in flight or in memory. */
export async function healthProblems(stage: Stage, slots: number): Promise<string[]> {
  const problems: string[] = [];
  for (const [side, proxy] of stage.proxies) {
    if (proxy.died()) continue;
    const found: string[] = [];
    const askAll = async (slot: number): Promise<void> => {
      for (const [at] of LANES.entries()) {
        const problem = await goodSoon(stage, side, at, slot);
        if (problem !== undefined) found.push(problem);
      }
    };
    await Promise.all(Array.from({ length: slots }, (_, slot) => askAll(slot)));
    problems.push(...found.slice(0, 2));
    const limit = performance.now() + HUNG_MS;
    let flying = Infinity;
    while (performance.now() < limit) {
      const { in_flight: now } = (await (await fetch(`${proxy.url}/health`)).json()) as Health;
      flying = now;
      if (now === 0 && stage.upstream.open().length === 0) break;
      await Bun.sleep(20);
    }
    if (flying > 0) problems.push(`${flying} of the ${side}s are still in flight`);
    const [wanted] = stage.upstream.open();
    if (flying === 0 && wanted)
      problems.push(
        `an answer of ${wanted.path} to case ${wanted.number} is still wanted, although nobody waits`,
      );
  }
  return problems;
}
