import type { ClassName, Protocol } from './classes.ts';
import type { Dice } from './dice.ts';
import type { KindName, Where } from './faults.ts';
import { CLASSES, wirePath } from './classes.ts';
import { KIND_NAMES, kindOf } from './faults.ts';

/** A fault that is active for a while. Without a restriction, it concerns all requests. */
export interface Outage {
  readonly kind: KindName;
  readonly fromMs: number;
  readonly untilMs: number;
  /** It is active for this long, then inactive for as long, and so on. */
  readonly flapMs: number | undefined;
  readonly key: number | undefined;
  readonly model: string | undefined;
  readonly path: string | undefined;
  readonly stream: boolean | undefined;
  /** It concerns only requests of this kind. */
  readonly only: 'expensive' | 'long' | undefined;
  /** The Retry-After of a 429, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether hanging requests are answered when it ends. */
  readonly thaws: boolean;
}

/** The properties of a request that matter to a provider. */
export interface Asked {
  readonly name: ClassName;
  readonly expensive: boolean;
  readonly long: boolean;
}

interface Subject {
  readonly name: string;
  readonly protocol: Protocol;
  readonly models: readonly string[];
  readonly keys: number;
}

const SECOND = 1_000;
const LENGTHS = [5, 20, 60, 60, 180, 180, 600].map((seconds) => seconds * SECOND);
const TOLD = [1, 5, 20, 60, 300, 3_600, 86_400].map((seconds) => seconds * SECOND);

/** All faults that a provider will have, by their beginning. */
export function outagesOf(subject: Subject, dice: Dice, untilMs: number): Outage[] {
  const outages: Outage[] = [];
  for (let atMs = dice.between(20, 400) * SECOND; atMs < untilMs;) {
    const outage = draw(subject, dice, atMs);
    outages.push(outage);
    // Sometimes two faults are active at once.
    if (dice.chance(0.2)) outages.push(draw(subject, dice, atMs + dice.between(0, 30) * SECOND));
    atMs = outage.untilMs + dice.between(60, 900) * SECOND;
  }
  return outages.sort((a, b) => a.fromMs - b.fromMs);
}

function draw({ protocol, models, keys }: Subject, dice: Dice, fromMs: number): Outage {
  const kind = dice.pick(KIND_NAMES);
  const where = dice.pick<Where>(kindOf(kind).where);
  const flapMs = dice.chance(0.15) ? dice.pick([5, 20, 20, 40]) * SECOND : undefined;
  const length = flapMs === undefined ? dice.pick(LENGTHS) : dice.pick([180, 300]) * SECOND;
  const path = where === 'path' ? dice.pick(pathsOf(protocol)) : undefined;
  return {
    kind,
    fromMs,
    untilMs: fromMs + length,
    flapMs,
    key: where === 'key' && dice.chance(0.7) ? dice.whole(0, keys - 1) : undefined,
    model: where === 'model' ? dice.pick(models) : undefined,
    path,
    stream: path !== undefined && dice.chance(0.5) ? dice.chance(0.5) : undefined,
    only: where === 'expensive' || where === 'long' ? where : undefined,
    retryAfterMs: kind === '429' && dice.chance(0.7) ? dice.pick(TOLD) : undefined,
    thaws: dice.chance(0.5),
  };
}

function pathsOf(protocol: Protocol): string[] {
  const count = wirePath(protocol, 'count');
  return [wirePath(protocol, 'chat')!, ...(count === undefined ? [] : [count])];
}

/** Whether such a request to this model can meet it at all. */
export function concerns(outage: Outage, protocol: Protocol, model: string, asked: Asked): boolean {
  const { path, stream, only } = outage;
  if (outage.model !== undefined && outage.model !== model) return false;
  if (path !== undefined && path !== wirePath(protocol, asked.name)) return false;
  if (stream !== undefined && stream !== CLASSES[asked.name].stream) return false;
  return only === undefined || asked[only];
}

/** Whether it is active at this time. */
export function isTrue({ fromMs, untilMs, flapMs }: Outage, atMs: number): boolean {
  if (atMs < fromMs || atMs >= untilMs) return false;
  return flapMs === undefined || Math.floor((atMs - fromMs) / flapMs) % 2 === 0;
}

/** When it was last active before this time, at which it is not; `-Infinity` if it never was. */
export function lastTrue({ fromMs, untilMs, flapMs }: Outage, atMs: number): number {
  if (atMs < fromMs) return -Infinity;
  if (flapMs === undefined) return untilMs;
  // The ends of the intervals [from + 2n flap, from + (2n + 1) flap) before this time, limited to the end of the fault.
  const within = Math.min(atMs, untilMs) - fromMs;
  const turns = Math.floor(within / flapMs);
  return Math.min(untilMs, fromMs + (turns % 2 === 1 ? turns : turns + (atMs >= untilMs ? 1 : 0)) * flapMs);
}
