import type { Call } from './book.ts';
import type { Judge, Scene } from './scene.ts';
import type { Blame, Spoiling } from './faults.ts';
import type { SimProvider, SimTarget } from './world.ts';
import { kindOf } from './faults.ts';
import { showedFault } from './known.ts';
import { aboutOf, isFree } from './scene.ts';
import { downSince } from './truth.ts';

/** The number of faults after which the proxy knows that a target is down. */
const KNOWN_AFTER = 5;

const WINDOW_MS = 30_000;

/**
 * The maximum number of requests that may try a target within the window while it is down: beside a good one, and
 * alone. An endpoint, the target, the key and the provider are each tried separately.
 */
const TRIALS = { beside: 20, alone: 45 };

/** The same beside a good target if answers begin well: each beginning justifies a further request. */
const TRIALS_OF_GOOD_BEGINNINGS = 45;

/**
 * Faults of answers that begin well. Alone, such a target may be used by all requests: half an answer is better than
 * none.
 */
const BEGINS_WELL: ReadonlySet<Spoiling> = new Set<Spoiling>([
  'cut',
  'error-later',
  'finish-error',
  'no-finish',
]);

interface Outing {
  readonly target: SimTarget;
  readonly blame: Blame;
  readonly sinceMs: number;
  faults: number;
  readonly beside: number[];
  readonly alone: number[];
}

/** Rule 5: a target that is down, or sent a Retry-After, receives nothing but trials. */
export class HammeringJudge implements Judge {
  readonly #scene: Scene;
  /** By target, or by target and class if a fault concerns no more than that. */
  readonly #outings = new Map<string, Outing>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  reloaded(): void {
    this.#outings.clear();
  }

  began(call: Call): void {
    this.#expectRest(call);
    const outing = this.#outingOf(call);
    const { request, target, beganMs } = call;
    if (!outing || outing.faults < KNOWN_AFTER) return;
    if (request.calls.some((earlier) => earlier.target === target)) return;
    const { known, violations } = this.#scene;
    const others = request.route.targets.filter((each) => each !== target);
    const how = others.some((other) => known.good(other, request) && isFree(this.#scene, other, request))
      ? 'beside'
      : 'alone';
    const invited = invites(call);
    if (isAnswer(call) || (invited && how === 'alone')) return;
    const trials = outing[how];
    trials.push(beganMs);
    while (trials[0]! < beganMs - WINDOW_MS) trials.shift();
    if (trials.length <= (invited ? TRIALS_OF_GOOD_BEGINNINGS : TRIALS[how])) return;
    const where = how === 'beside' ? 'beside a good target' : 'alone';
    const what = `${target.id}, down and ${where}, is tried by ${trials.length} requests in 30 s`;
    violations.add(5, beganMs, what, { cause: `${target.id} ${outing.sinceMs}`, about: aboutOf(request) });
  }

  ended(call: Call): void {
    if (!showedFault(call) || isCallersEnd(call)) return;
    if (isAnswered(call)) this.#reachable(call.target.provider);
    const outing = this.#outingOf(call);
    if (outing && call.beganMs >= outing.sinceMs) outing.faults += 1;
  }

  /** Two faults may be active at once: a provider that answers some requests is not unreachable. */
  #reachable(provider: SimProvider): void {
    for (const [key, { target, blame }] of this.#outings)
      if (blame === 'provider' && target.provider === provider) this.#outings.delete(key);
  }

  #outingOf({ target, request, outage }: Call): Outing | undefined {
    const sinceMs = downSince(target, this.#scene.clock.monotonic());
    const blame = outage && kindOf(outage.kind).blame;
    if (sinceMs === undefined || blame === undefined || blame === 'request') return undefined;
    const key = blame === 'endpoint' ? `${target.id} ${request.asked.name}` : target.id;
    const known = this.#outings.get(key);
    if (known?.sinceMs === sinceMs) return known;
    const outing: Outing = { target, blame, sinceMs, faults: 0, beside: [], alone: [] };
    this.#outings.set(key, outing);
    return outing;
  }

  /** A Retry-After must be respected. */
  #expectRest({ request, target, key, beganMs }: Call): void {
    const told = this.#scene.known.told(target, key);
    if (!told || beganMs <= told.fromMs || beganMs >= told.untilMs - 1) return;
    this.#scene.violations.add(5, beganMs, restText(target, key, told.untilMs - beganMs), {
      cause: `rest ${target.id} ${key} ${told.fromMs}`,
      about: aboutOf(request),
    });
  }
}

/** Whether the provider sent anything. */
function isAnswered({ outage }: Call): boolean {
  const does = outage && kindOf(outage.kind).act.does;
  return does === 'answer' || does === 'page' || does === 'spoil';
}

/**
 * Whether it is answered correctly in the end; or stalls in the middle, which takes minutes to distinguish from a long
 * answer.
 */
function isAnswer({ outage }: Call): boolean {
  const act = outage && kindOf(outage.kind).act;
  return act?.does === 'dawdle' || (act?.does === 'spoil' && act.way === 'stall');
}

/**
 * Whether it invites further requests by itself: by answers that begin, or by a limit, after which all waiting requests
 * may be sent.
 */
function invites({ outage }: Call): boolean {
  const act = outage && kindOf(outage.kind).act;
  const limited = outage && kindOf(outage.kind).blame === 'rate';
  return limited || (act?.does === 'spoil' && BEGINS_WELL.has(act.way));
}

/** Whether it may have been cancelled only for its caller's sake, which tells the proxy nothing. */
function isCallersEnd({ result, request }: Call): boolean {
  return result === 'aborted' && (request.left || request.deadlineMs !== undefined);
}

function restText({ id }: SimTarget, key: number, leftMs: number): string {
  return `${id} is asked with key ${key}, ${(leftMs / 1000).toFixed(1)} s before the Retry-After has passed`;
}
