/** Models that a request names besides its own: the provider may run these too, or in its place. */
import type { JsonObject } from './json.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';

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
 * Tools and plugins may name a model of their own: the one that draws images at OpenAI, the advisor at Anthropic.
 * @see https://platform.openai.com/docs/guides/tools-image-generation
 */
const HELPERS = ['tools', 'plugins'] as const;

/** The names, as the provider knows them; usually none. */
export function otherModels(body: JsonObject): readonly string[] {
  const named: string[] = [];
  for (const field of FALLBACKS) if (body[field] !== undefined) named.push(...namesIn(body[field]));
  for (const field of HELPERS) for (const helper of listOf(body[field])) named.push(...ownName(helper));
  // Vercel's AI Gateway.
  if (body.providerOptions !== undefined)
    named.push(...namesIn(objectOf(objectOf(body.providerOptions).gateway).models));
  return named;
}

/** Texts, objects with a `model`, and LiteLLM's `{"model": ["fallback"]}`. */
function namesIn(value: unknown): string[] {
  return [value].flat().flatMap((each) => {
    if (typeof each === 'string') return [each];
    if (!isObject(each)) return [];
    return each.model === undefined
      ? Object.values(each).flatMap((names) => [names].flat().filter(isText))
      : ownName(each);
  });
}

function ownName(value: unknown): string[] {
  const name = stringOf(objectOf(value).model);
  return name === undefined ? [] : [name];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
