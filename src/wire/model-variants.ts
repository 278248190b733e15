/**
 * OpenRouter's variants of a model, which are served, priced and limited as the model: `openai/gpt-4o:nitro`. Any other
 * suffix is a part of the name, such as the size of a model at Ollama. @see
 * https://openrouter.ai/docs/guides/routing/model-variants
 */
const VARIANT = /:(?:beta|exacto|extended|floor|free|nitro|online|thinking)$/;
const PRESET = /@preset\/.*$/;

/** The model of which a name is a variant; `undefined` if it is none. */
export function plainModel(name: string): string | undefined {
  let plain = name.replace(PRESET, '');
  while (VARIANT.test(plain)) plain = plain.replace(VARIANT, '');
  return plain === name || plain === '' ? undefined : plain;
}
