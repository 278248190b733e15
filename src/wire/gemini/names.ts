/**
 * Model names in the body of a Gemini request, in addition to the path: a relayed request must name its actual target.
 */
import type { JsonObject } from '../json.ts';
import { isObject, listOf } from '../json.ts';
import { fieldOf } from './client-check.ts';

const WITHIN = ['generateContentRequest', 'generate_content_request'] as const;

/** The request with this model's name; `undefined` when no change is needed. */
export function namedFor(body: JsonObject, model: string): JsonObject | undefined {
  const name = model.startsWith('tunedModels/') ? model : `models/${model}`;
  let named = withName(body, name);
  for (const field of WITHIN) {
    const inner = named[field];
    if (isObject(inner) && inner.model !== name) named = { ...named, [field]: { ...inner, model: name } };
  }
  const { requests } = named;
  if (Array.isArray(requests)) {
    const all = requests.map((each: unknown) => (isObject(each) ? withName(each, name) : each));
    if (all.some((each, at) => each !== listOf(requests)[at])) named = { ...named, requests: all };
  }
  return named === body ? undefined : named;
}

function withName(request: JsonObject, name: string): JsonObject {
  return request.model === undefined || request.model === name ? request : { ...request, model: name };
}

/** Fields besides contents that Google AI counts only within a request that names its model. */
const BESIDE = ['systemInstruction', 'tools', 'generationConfig', 'toolConfig'] as const;

/**
 * Converts a request to count tokens to the form of Google AI or Vertex AI: the former wraps a whole request in a
 * field, the latter does not. `undefined` when no change is needed.
 */
export function countableAt(
  place: 'gemini' | 'vertex',
  body: JsonObject,
  model: string,
): JsonObject | undefined {
  const whole = fieldOf(body, 'generateContentRequest');
  if (place === 'vertex') {
    if (!isObject(whole)) return undefined;
    const { model: _, ...counted } = whole;
    return counted;
  }
  if (isObject(whole) || BESIDE.every((name) => fieldOf(body, name) === undefined)) return undefined;
  const { model: _, ...counted } = body;
  return { generateContentRequest: { model: `models/${model}`, ...counted } };
}
