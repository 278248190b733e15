import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import type { Units } from '../units.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { tiersOf } from '../reported-tiers.ts';
import { searchCount, sumOf, tokenCount, unitsOf } from '../units.ts';
import { withTiers, withUnits } from '../usage.ts';

/** The usage of an interaction, normalised: it counts thoughts separately from the answer. */
export function interactionUsage(given: unknown): Usage | undefined {
  if (!isObject(given)) return undefined;
  const count = (name: string) => tokenCount(given[name]);
  const input = count('total_input_tokens');
  const visible = count('total_output_tokens');
  const thought = count('total_thought_tokens') ?? 0;
  if (input === undefined && visible === undefined) return undefined;
  const tools = count('total_tool_use_tokens') ?? 0;
  const audio = audioIn(given.input_tokens_by_modality);
  return {
    input: sumOf(input ?? 0, tools),
    cached: count('total_cached_tokens') ?? 0,
    cacheWrite: 0,
    output: sumOf(visible ?? 0, thought),
    reasoning: thought,
    ...(audio > 0 ? { inputAudio: audio } : {}),
  };
}

function audioIn(modalities: unknown): number {
  const audio = listOf(modalities)
    .map(objectOf)
    .find(({ modality }) => modality === 'audio');
  return tokenCount(audio?.tokens) ?? 0;
}

/**
 * The usage in a whole interaction.
 * @see https://ai.google.dev/gemini-api/docs/interactions
 */
export function wholeInteractionUsage({ usage, steps, service_tier: tier }: JsonObject): Usage | undefined {
  return withUnits(withTiers(interactionUsage(usage), tiersOf(tier)), searchesIn(listOf(steps)));
}

/** The searches that steps made: each query is charged. */
export function searchesIn(steps: readonly unknown[]): Units {
  const counts = { webSearches: 0, mapSearches: 0 };
  for (const step of steps) {
    const { type, arguments: args } = objectOf(step);
    const unit = typeof type === 'string' && Object.hasOwn(SEARCHES, type) ? SEARCHES[type] : undefined;
    if (unit) counts[unit] += Math.max(1, listOf(objectOf(args).queries).length);
  }
  return unitsOf({
    webSearches: searchCount(counts.webSearches),
    mapSearches: searchCount(counts.mapSearches),
  });
}

const SEARCHES: Readonly<Record<string, 'webSearches' | 'mapSearches'>> = {
  google_search_call: 'webSearches',
  google_maps_call: 'mapSearches',
};

/** Encodes usage in the format of an interaction. */
export function encodeInteractionUsage(usage: Usage | undefined): JsonObject {
  const { input, cached, output, reasoning } = usage ?? NOTHING;
  return {
    total_input_tokens: input,
    total_cached_tokens: cached,
    total_output_tokens: Math.max(0, output - reasoning),
    total_thought_tokens: reasoning,
    total_tool_use_tokens: 0,
    total_tokens: sumOf(input, output),
  };
}

const NOTHING: Usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, reasoning: 0 };
