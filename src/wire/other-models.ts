/** Models that a request names besides its own: the provider may run these too, or in its place. */
import type { JsonObject } from './json.ts';
import { isObject, listOf, objectOf } from './json.ts';

/**
 * Lists of models to fall back to: of OpenRouter (`models`) and LiteLLM.
 * @see https://openrouter.ai/docs/guides/routing/model-fallbacks
 * @see https://docs.litellm.ai/docs/proxy/reliability
 */
const FALLBACKS = [
  'models',
  'fallbacks',
  'fallback_models',
  'context_window_fallbacks',
  'content_policy_fallbacks',
] as const;

/**
 * Tools and plugins may name models of their own: the one that draws images at OpenAI, the advisor at Anthropic, the
 * panel of OpenRouter's Fusion.
 * @see https://platform.openai.com/docs/guides/tools-image-generation
 * @see https://openrouter.ai/docs/guides/routing/routers/fusion-router
 */
const HELPERS = ['tools', 'plugins'] as const;

/** The names, as the provider knows them; usually none. A name may occur several times. */
export function* otherModels(body: JsonObject): Generator<string> {
  for (const field of FALLBACKS) if (body[field] !== undefined) yield* namesIn(body[field]);
  for (const field of HELPERS) for (const helper of listOf(body[field])) yield* namesOf(objectOf(helper));
  // Vercel's AI Gateway.
  if (body.providerOptions !== undefined)
    yield* namesIn(objectOf(objectOf(body.providerOptions).gateway).models);
  // Groq's Compound: {"answering_model": ..., "reasoning_model": ...}.
  if (body.compound_custom !== undefined) yield* namesIn(objectOf(body.compound_custom).models);
}

/** Texts, objects with a `model`, and LiteLLM's `{"model": ["fallback"]}`. */
function* namesIn(value: unknown): Generator<string> {
  for (const each of [value].flat()) {
    if (typeof each === 'string') yield each;
    else if (!isObject(each)) continue;
    else if (each.model !== undefined) yield* texts(each.model);
    else for (const names of Object.values(each)) yield* texts(names);
  }
}

function* namesOf(helper: JsonObject): Generator<string> {
  // OpenRouter's own tools have their settings in `parameters`, where functions have a schema.
  for (const settings of [helper, helper.parameters]) {
    if (!isObject(settings)) continue;
    yield* texts(settings.model);
    yield* texts(settings.analysis_models);
  }
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return listOf(value).filter((each) => typeof each === 'string');
}
