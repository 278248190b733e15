import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { sumOf, tokenCount } from '../units.ts';

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
