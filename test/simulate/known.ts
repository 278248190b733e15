import type { Call, SimRequest } from './book.ts';
import type { ClassName } from './classes.ts';
import type { Blame } from './faults.ts';
import type { SimTarget } from './world.ts';
import { kindOf } from './faults.ts';

/** A longer Retry-After is shortened to this, in milliseconds. */
export const TOLD_CAP_MS = 60_000;

/** A Retry-After that a provider sent. */
interface Told {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Whether a call may have revealed a fault of its target; this includes a call that was cancelled while the target was
 * silent or slow, whoever cancelled it.
 */
export function showedFault({ result, outage }: Call): boolean {
  return result !== 'fine' && outage !== undefined;
}

/** Everything that the proxy can know about its targets from finished calls. */
export class Known {
  readonly #fine = new Map<string, { beganMs: number; key: number }>();
  readonly #faults = new Map<string, number>();
  readonly #told = new Map<string, Told>();

  ended(call: Call): void {
    const { target, key, request, outage, beganMs, endedMs, toldMs } = call;
    if (call.result === 'fine') {
      this.#fine.set(`${target.id} ${request.asked.name}`, { beganMs, key });
      return;
    }
    if (!showedFault(call)) return;
    this.#faults.set(placeOf(kindOf(outage!.kind).blame, target, key, request.asked.name), endedMs!);
    if (toldMs !== undefined) {
      const untilMs = endedMs! + Math.min(toldMs, TOLD_CAP_MS);
      this.#told.set(`${target.id} ${key}`, { fromMs: endedMs!, untilMs });
    }
  }

  /** A reload discards no knowledge. */
  reloaded(): void {
    this.#told.clear();
  }

  /** Whether its last call for the endpoint succeeded, and no fault since then concerns it. */
  good(target: SimTarget, { asked }: SimRequest): boolean {
    const fine = this.#fine.get(`${target.id} ${asked.name}`);
    if (!fine) return false;
    return BLAMES.every((blame) => {
      const faultMs = this.#faults.get(placeOf(blame, target, fine.key, asked.name));
      return faultMs === undefined || faultMs < fine.beganMs;
    });
  }

  /** The last Retry-After for this key. */
  told({ id }: SimTarget, key: number): Told | undefined {
    return this.#told.get(`${id} ${key}`);
  }

  /** Until when the provider's Retry-After lasts: for every key, and for at least one. */
  toldUntil(target: SimTarget): { all: number; any: number } {
    const each = Array.from(
      { length: target.provider.keys },
      (_, key) => this.told(target, key)?.untilMs ?? 0,
    );
    return { all: Math.min(...each), any: Math.max(...each) };
  }
}

const BLAMES = ['endpoint', 'rate', 'target', 'key', 'provider'] as const satisfies Blame[];

/** The scope of a fault as text. A fault of the request concerns, at most, its own endpoint. */
function placeOf(blame: Blame, { id, provider }: SimTarget, key: number, name: ClassName): string {
  switch (blame) {
    case 'request':
    case 'endpoint':
      return `endpoint ${id} ${name}`;
    case 'rate':
      return `rate ${id} ${key}`;
    case 'target':
      return `target ${id}`;
    case 'key':
      return `key ${provider.name} ${key}`;
    case 'provider':
      return `provider ${provider.name}`;
  }
}
