import type { ClassName } from './classes.ts';
import type { Outage } from './outages.ts';
import type { SimProvider, SimRoute, World } from './world.ts';
import { CLASS_NAMES } from './classes.ts';
import { Dice } from './dice.ts';
import { concerns } from './outages.ts';
import { HOUR_MS } from './world.ts';

/** A planned request. */
export interface Arrival {
  readonly atMs: number;
  readonly route: SimRoute;
  readonly name: ClassName;
  readonly expensive: boolean;
  readonly long: boolean;
  readonly deadlineMs: number | undefined;
  readonly leavesMs: number | undefined;
  readonly slow: boolean;
}

/** The probabilities that a request is unusual. */
const ODD = { expensive: 0.05, long: 0.03, leaves: 0.05, deadline: 0.05, slow: 0.02 };

/** For how long an outage is watched at its beginning, before its end, and after it, in milliseconds. */
const WATCHED = { beforeMs: 5_000, beginMs: 30_000, endMs: 20_000, afterMs: 40_000 };

/** The share of outages that are watched. */
const WATCHES = 0.4;

/** All requests of a world in order: a trickle, bursts, and a steady flow around some of the outages. */
export function drawTraffic(world: World): Arrival[] {
  const dice = new Dice(world.seed, 'traffic');
  const endMs = world.hours * HOUR_MS;
  const arrivals: Arrival[] = [];
  const add = (atMs: number, route: SimRoute, name: ClassName): void => {
    if (atMs < endMs) arrivals.push({ atMs, route, name, ...odd(dice) });
  };
  for (let atMs = 0; atMs < endMs; atMs += dice.between(500, 20_000)) {
    add(atMs, dice.pick(world.routes), dice.pick(CLASS_NAMES));
  }
  for (let atMs = dice.between(0, 600_000); atMs < endMs; atMs += dice.between(60_000, 1_200_000)) {
    const route = dice.pick(world.routes);
    const name = dice.pick(CLASS_NAMES);
    for (let count = dice.whole(3, 12); count > 0; count -= 1) add(atMs, route, name);
  }
  for (const provider of world.providers) {
    for (const outage of provider.outages) {
      if (!dice.chance(WATCHES)) continue;
      const watched = watchedBy(world, provider, outage, dice);
      if (watched) for (const atMs of steady(outage, dice)) add(atMs, watched.route, watched.name);
    }
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}

function odd(dice: Dice): Omit<Arrival, 'atMs' | 'route' | 'name'> {
  return {
    expensive: dice.chance(ODD.expensive),
    long: dice.chance(ODD.long),
    leavesMs: dice.chance(ODD.leaves)
      ? dice.pick([0, 10, 300, 2_000, 30_000]) * dice.between(0.5, 1.5)
      : undefined,
    deadlineMs: dice.chance(ODD.deadline) ? Math.round(dice.between(2_000, 90_000)) : undefined,
    slow: dice.chance(ODD.slow),
  };
}

/** A model name that leads to the provider, best first, and a class that meets the outage, if there are any. */
function watchedBy(
  { routes }: World,
  provider: SimProvider,
  outage: Outage,
  dice: Dice,
): { route: SimRoute; name: ClassName } | undefined {
  const asked = (name: ClassName) => ({ name, expensive: true, long: true });
  const pairs = routes.flatMap((route) => {
    const [best] = route.targets;
    if (best!.provider !== provider) return [];
    return CLASS_NAMES.filter((name) => name !== 'count' || provider.protocol === 'anthropic')
      .filter((name) => concerns(outage, provider.protocol, best!.model, asked(name)))
      .map((name) => ({ route, name }));
  });
  return pairs.length === 0 ? undefined : dice.pick(pairs);
}

/**
 * At least one request a second, from before an outage until after it; of a long one, only around its beginning and its
 * end.
 */
function* steady({ fromMs, untilMs }: Outage, dice: Dice): Generator<number> {
  const gap = dice.pick([600, 800, 950]);
  for (let atMs = Math.max(0, fromMs - WATCHED.beforeMs); atMs < untilMs + WATCHED.afterMs;) {
    const skipped = atMs > fromMs + WATCHED.beginMs && atMs < untilMs - WATCHED.endMs;
    if (!skipped) yield atMs;
    atMs += skipped ? 1_000 : gap * dice.between(0.7, 1.05);
  }
}
