import type { LogRecord } from '../../src/logs/record.ts';
import type { Call, SimRequest } from './book.ts';
import type { Judge, Scene } from './scene.ts';
import type { SimTarget } from './world.ts';
import { kindOf } from './faults.ts';
import { aboutOf, failedHere, isFree } from './scene.ts';
import { fineDuring, fineSince } from './truth.ts';

/** A caller's deadline up to which there is no time for a second target, in milliseconds. */
const SHORT_DEADLINE_MS = 20_000;

/** Rules 1 and 2: targets that are known to be good must be used. */
export class BlameJudge implements Judge {
  readonly #scene: Scene;
  /** By request: the targets that were free and known to be good when it arrived. */
  readonly #good = new WeakMap<SimRequest, readonly SimTarget[]>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  arrives(request: SimRequest): void {
    const { known } = this.#scene;
    const good = request.route.targets.filter(
      (target) => known.good(target, request) && isFree(this.#scene, target, request),
    );
    this.#good.set(request, good);
  }

  /**
   * The first call of a request must go to the best target, unless that target may be bad as far as the proxy knows.
   */
  began({ request, target, beganMs }: Call): void {
    if (request.calls.length > 0) return;
    const { known, violations } = this.#scene;
    const { targets } = request.route;
    for (const better of targets.slice(0, targets.indexOf(target))) {
      const fine = fineSince(better, request.asked, beganMs) !== undefined;
      if (!fine || !known.good(better, request) || !isFree(this.#scene, better, request)) continue;
      violations.add(2, beganMs, `${request.id} asks ${target.id} although ${better.id} is known good`, {
        cause: `${better.id} ${request.asked.name} ${Math.floor(beganMs / 60_000)}`,
        about: aboutOf(request),
      });
    }
  }

  finished(request: SimRequest, record: LogRecord | undefined): void {
    if (!failedHere(record) || isOwnDoing(request, record)) return;
    const { known, violations, clock } = this.#scene;
    const nowMs = clock.monotonic();
    const answered = request.calls.find(({ result }) => result === 'fine')?.target;
    const idle = (this.#good.get(request) ?? []).find(
      (target) =>
        request.calls.every((call) => call.target !== target) &&
        known.good(target, request) &&
        fineDuring(target, request.asked, request.arrivedMs, nowMs),
    );
    const which = answered ?? idle;
    if (!which) return;
    const state = answered ? 'answered it' : 'was free and known good';
    violations.add(1, nowMs, `${request.id} fails with ${record.fault} although ${which.id} ${state}`, {
      cause: `${request.route.name} ${request.asked.name} ${record.fault} ${Math.floor(nowMs / 60_000)}`,
      about: aboutOf(request),
    });
  }
}

/** Whether the request had to fail: because it is invalid, or because its deadline is too short. */
function isOwnDoing({ calls, deadlineMs }: SimRequest, { fault }: LogRecord): boolean {
  if (fault === 'invalid_request') return calls.at(-1)?.outage?.kind === '400';
  if (fault !== 'deadline' || deadlineMs === undefined) return false;
  // A target that is only slow is not abandoned for another.
  return (
    deadlineMs < SHORT_DEADLINE_MS ||
    calls.some(({ outage }) => outage && kindOf(outage.kind).act.does === 'dawdle')
  );
}
