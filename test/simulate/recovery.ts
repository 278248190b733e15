import type { LogRecord } from '../../src/logs/record.ts';
import type { Call, SimRequest } from './book.ts';
import type { Judge, Scene } from './scene.ts';
import type { SimProvider, SimTarget } from './world.ts';
import { wirePath } from './classes.ts';
import { aboutOf, failedHere, isFree } from './scene.ts';
import { fineSince, lastWrong } from './truth.ts';

const RECOVERY_MS = 15_000;

/** "At least once a second" with some tolerance, in milliseconds. */
const DENSE_MS = 1_050;

/** "About once a second", in milliseconds. */
const LET_THROUGH_MS = 3_000;

/**
 * Whether this call may be the one that is trying, with another model, whether the provider can be reached; it has no
 * result yet.
 */
function triesProvider({ target, outage }: Call, targets: readonly SimTarget[]): boolean {
  return outage !== undefined && targets.some(({ provider }) => provider === target.provider);
}

/** Rules 3 and 4: a target that was down is used again. */
export class RecoveryJudge implements Judge {
  readonly #scene: Scene;
  /** By best target and class: since when requests have arrived at least once a second, and the last of them. */
  readonly #dense = new Map<string, { sinceMs: number; lastMs: number }>();
  /** By target and class: when it last answered correctly. */
  readonly #answered = new Map<string, number>();
  /** By target and by provider: when a call to it last began or ended. */
  readonly #touched = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  arrives({ asked, route, arrivedMs }: SimRequest): void {
    const key = `${route.targets[0]!.id} ${asked.name}`;
    const dense = this.#dense.get(key);
    const goesOn = dense && arrivedMs - dense.lastMs <= DENSE_MS;
    this.#dense.set(key, { sinceMs: goesOn ? dense.sinceMs : arrivedMs, lastMs: arrivedMs });
  }

  began(call: Call): void {
    this.#touch(call.target, call.beganMs);
    if (call.request.calls.length === 0) this.#expectBest(call.request, call.target);
  }

  /** A probe that cannot connect has tried the provider too. */
  probed({ name }: SimProvider): void {
    this.#touched.set(name, this.#scene.clock.monotonic());
  }

  ended({ target, endedMs, result, request }: Call): void {
    this.#touch(target, endedMs!);
    if (result === 'fine') this.#answered.set(`${target.id} ${request.asked.name}`, endedMs!);
  }

  #touch({ id, provider }: SimTarget, nowMs: number): void {
    this.#touched.set(id, nowMs);
    this.#touched.set(provider.name, nowMs);
  }

  finished(request: SimRequest, record: LogRecord | undefined): void {
    if (request.calls.length > 0 || !failedHere(record) || record.fault === 'deadline') return;
    // A slow client finishes long after the proxy had to choose, when the situation has changed.
    if (!request.slow) this.#expectBest(request, undefined);
    this.#expectTrial(request, record);
  }

  /** The best target must be used first, if it has been fine for long enough. */
  #expectBest(request: SimRequest, asked: SimTarget | undefined): void {
    const { known, violations, clock } = this.#scene;
    const best = request.route.targets[0]!;
    const { name, expensive, long } = request.asked;
    if (asked === best || expensive || long || wirePath(best.provider.protocol, name) === undefined) return;
    const nowMs = clock.monotonic();
    const fineMs = fineSince(best, request.asked, nowMs);
    if (fineMs === undefined || !isFree(this.#scene, best, request)) return;
    // The target has recovered; a cooldown now is due to another fault, which rules 1 and 2 cover.
    if ((this.#answered.get(`${best.id} ${name}`) ?? -Infinity) > fineMs) return;
    const denseMs = this.#dense.get(`${best.id} ${name}`)?.sinceMs ?? nowMs;
    const lateMs = nowMs - Math.max(fineMs, denseMs, known.toldUntil(best).any);
    if (lateMs <= RECOVERY_MS) return;
    const kind = lastWrong(best, request.asked, nowMs);
    const since = Number.isFinite(fineMs)
      ? `for ${((nowMs - fineMs) / 1000).toFixed(0)} s, after ${kind}`
      : 'always';
    violations.add(3, nowMs, `${request.id} goes past ${best.id}, which has been fine ${since}`, {
      cause: `${best.id} ${name} ${fineMs}`,
      about: aboutOf(request),
    });
  }

  /** If nothing was sent to any target for a while, the request should have been let through. */
  #expectTrial(request: SimRequest, { fault, attempts }: LogRecord): void {
    // A request whose connection failed was let through, too.
    if (attempts > 0) return;
    const { known, violations, clock, book } = this.#scene;
    const nowMs = request.answeredMs ?? clock.monotonic();
    const { targets } = request.route;
    const resting = targets.every((target) => known.toldUntil(target).all > request.arrivedMs);
    const busy = [...book.open].some((call) => targets.includes(call.target) || triesProvider(call, targets));
    // How an answer ended is only known when its client has read that far.
    const read = [...book.requests.values()].some(
      ({ slow, calls }) => slow && calls.some(({ target }) => targets.includes(target)),
    );
    const full = targets.some((target) => !isFree(this.#scene, target, request));
    // An unreachable provider is tried with any of its models.
    const touchedMs = Math.max(
      ...targets
        .flatMap(({ id, provider }) => [id, provider.name])
        .map((each) => this.#touched.get(each) ?? -Infinity),
    );
    if (resting || busy || read || full || nowMs - touchedMs < LET_THROUGH_MS) return;
    const idle = Number.isFinite(touchedMs) ? `${((nowMs - touchedMs) / 1000).toFixed(1)} s` : 'ever';
    violations.add(4, nowMs, `${request.id} is refused (${fault}), and nothing was asked for ${idle}`, {
      cause: `${request.route.name} ${Math.floor(nowMs / 60_000)}`,
      about: aboutOf(request),
    });
  }
}
