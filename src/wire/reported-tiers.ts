import type { ServiceTier } from '../service-tiers.ts';
import type { JsonObject } from './json.ts';
import { SERVICE_TIERS } from '../service-tiers.ts';
import { objectOf, stringOf } from './json.ts';

export interface Tiered {
  /** The service tiers of an answer other than the standard ones, if any. */
  readonly tiers?: readonly ServiceTier[];
}

/** Vendors' names, in lower case. Vertex AI reports the kind of traffic. */
const NAMES: ReadonlyMap<string, ServiceTier> = new Map<string, ServiceTier>([
  ...SERVICE_TIERS.map((tier): [string, ServiceTier] => [tier, tier]),
  ['on_demand_flex', 'flex'],
  ['on_demand_priority', 'priority'],
]);

/** @param reported names of tiers, if any */
export function tiersOf(...reported: readonly unknown[]): Tiered {
  let some: Set<ServiceTier> | undefined;
  for (const value of reported) {
    const tier = typeof value === 'string' ? NAMES.get(value.toLowerCase()) : undefined;
    if (tier !== undefined) (some ??= new Set()).add(tier);
  }
  return some ? { tiers: [...some] } : {};
}

/** The tiers that a request asks for, in any protocol; Anthropic's `service_tier` has no price of its own. */
export function requestedTiers({
  service_tier,
  serviceTier,
  speed,
  inference_geo: place,
  performance_config,
  performanceConfig = performance_config,
}: JsonObject): Tiered {
  return tiersOf(service_tier, serviceTier, speed, place, objectOf(performanceConfig).latency);
}

/** Reads tiers from the request log, or from a usage in OpenAI's format. */
export function decodeTiers(value: unknown): Tiered {
  return Array.isArray(value) ? tiersOf(...value.slice(0, SERVICE_TIERS.length).map(stringOf)) : {};
}
