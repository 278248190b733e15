import type { ConfigInput } from '../../src/config/schema.ts';
import type { Protocol } from './classes.ts';
import type { Outage } from './outages.ts';
import { Dice } from './dice.ts';
import { outagesOf } from './outages.ts';

/** What the free endpoint's path returns: the provider's actual state, or always the same. */
export type ProbeStyle = 'honest' | 403 | 404 | 500 | 'hangs';

export interface SimProvider {
  readonly name: string;
  readonly protocol: Protocol;
  readonly models: readonly string[];
  readonly keys: number;
  readonly probe: ProbeStyle;
  readonly maxConnections: number | undefined;
  readonly outages: readonly Outage[];
}

/** A provider and one of its models. */
export interface SimTarget {
  readonly id: string;
  readonly provider: SimProvider;
  readonly model: string;
}

/** A model name that clients use, and its targets, best first. */
export interface SimRoute {
  readonly name: string;
  readonly targets: readonly SimTarget[];
}

export interface World {
  readonly seed: number;
  readonly hours: number;
  readonly providers: readonly SimProvider[];
  readonly routes: readonly SimRoute[];
  readonly probing: 'recovery' | 'never';
}

export const HOUR_MS = 3_600_000;

/** Draws a world: providers, routes, and the faults of each over time. */
export function drawWorld(seed: number, hours: number): World {
  const dice = new Dice(seed, 'world');
  const providers = Array.from({ length: dice.whole(1, 4) }, (_, at) => drawProvider(`p${at}`, dice, hours));
  const targets = providers.flatMap((provider) =>
    provider.models.map((model): SimTarget => ({ id: `${provider.name}/${model}`, provider, model })),
  );
  const named = Array.from({ length: dice.whole(1, 4) }, (_, at): SimRoute => {
    const line = shuffled(targets, dice).slice(0, dice.whole(1, 3));
    return { name: `route${at}`, targets: line };
  });
  const direct = shuffled(targets, dice)
    .slice(0, 2)
    .map((target): SimRoute => ({ name: target.id, targets: [target] }));
  const probing = dice.chance(0.7) ? 'recovery' : 'never';
  return { seed, hours, providers, routes: [...named, ...direct], probing };
}

function drawProvider(name: string, dice: Dice, hours: number): SimProvider {
  const protocol = dice.chance(0.5) ? 'openai' : 'anthropic';
  const models = ['small', 'large', 'tiny'].slice(0, dice.whole(1, 3));
  const keys = dice.chance(0.6) ? 1 : dice.whole(2, 3);
  const probe = dice.chance(0.5) ? 'honest' : dice.pick([403, 404, 500, 'hangs'] as const);
  const maxConnections = dice.chance(0.1) ? dice.whole(2, 4) : undefined;
  const outages = outagesOf({ name, protocol, models, keys }, dice, hours * HOUR_MS);
  return { name, protocol, models, keys, probe, maxConnections, outages };
}

export function shuffled<T>(list: readonly T[], dice: Dice): T[] {
  return list
    .map((item) => ({ item, place: dice.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** The world as a configuration of the proxy: defaults everywhere, except for the addresses. */
export function configOf({ providers, routes, probing }: World): ConfigInput {
  const named = routes.filter(({ name }) => name.startsWith('route'));
  return {
    providers: providers.map(({ name, protocol, models, keys, maxConnections }) => ({
      name,
      type: protocol === 'openai' ? 'openai-compatible' : 'anthropic',
      base_url: protocol === 'openai' ? `http://${name}.test/v1` : `http://${name}.test`,
      api_keys: Array.from({ length: keys }, (_, key) => `sk-${name}-${key}`),
      models: [...models],
      ...(maxConnections === undefined ? {} : { max_connections: maxConnections }),
    })),
    models: Object.fromEntries(named.map(({ name, targets }) => [name, targets.map(({ id }) => id)])),
    health: { probe: probing },
    logging: { requests: { enabled: false } },
  };
}
