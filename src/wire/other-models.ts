/**
 * Models that a request names besides its own: the provider may run these too, or in its place. Gateways and vendors
 * add ways to name one all the time, so that everything is searched that neither is content nor describes a function.
 *
 * @see https://openrouter.ai/docs/guides/routing/model-fallbacks
 * @see https://openrouter.ai/docs/guides/features/presets
 * @see https://docs.litellm.ai/docs/proxy/reliability
 * @see https://platform.openai.com/docs/guides/tools-image-generation
 */
import type { JsonObject } from './json.ts';
import { ProxyError } from '../errors.ts';
import { isObject } from './json.ts';

/** The content of a request, which users wrote. */
const CONTENT: ReadonlySet<string> = new Set([
  'input',
  'inputs',
  'system',
  'systemInstruction',
  'system_instruction',
  'instructions',
  'prompt',
  'suffix',
  'query',
  'texts',
  'text',
  'image',
  'images',
  'cachedContent',
  // Gemini's; each is renamed as a whole.
  'requests',
  'generateContentRequest',
  'generate_content_request',
]);

/** What is content, or belongs to functions or to the caller's own program, wherever it stands. */
const OWN: ReadonlySet<string> = new Set([
  'messages',
  'content',
  'contents',
  'documents',
  'prediction',
  'function',
  'functions',
  'functionDeclarations',
  'function_declarations',
  'input_schema',
  'inputSchema',
  'response_format',
  'responseFormat',
  'responseSchema',
  'responseJsonSchema',
  'format',
  'tool_choice',
  'metadata',
  'labels',
  'headers',
]);

/** The parts of a schema of arguments whose keys are names of the caller's own, and values of arguments. */
const OF_SCHEMA: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'default',
  'examples',
]);

/** Fields that hold names, in letters alone: `models`, `fallback_models`, `analysis_models`, `deployment_id`. */
const NAMING = /(?:models?|fallbacks?|deployment|adapter)(?:ids?|names?|list|dict)?$|^lorapath$/;

/** The deepest place where a name may stand, and the most values that are looked at. */
const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;

/** The length of the longest list of names in a text, characters. */
export const MAX_NAMES = 16 * 1024;

/**
 * Finds the names, as the provider knows them; usually none. A name may occur several times.
 * @param model the requested one, which may consist of several
 * @param found called with each name; what it throws ends the search
 * @throws ProxyError `invalid_request` if there is too much to search
 */
export function findOtherModels(body: JsonObject, model: string, found: (name: string) => void): void {
  within(model, found);
  new Search(found).search(body);
}

/**
 * Finds the models within one name: those of a list, as LiteLLM and Helicone take it, and OpenRouter's presets, which
 * choose models of their own.
 * @returns whether it consists of several
 */
function within(name: string, found: (name: string) => void): boolean {
  const isList = name.includes(',');
  if (!isList) return withinOne(name, found);
  let several = false;
  for (const part of name.split(',')) {
    const each = part.trim();
    if (withinOne(each, found)) several = true;
    else if (each !== '') {
      several = true;
      found(each);
    }
  }
  return several;
}

function withinOne(name: string, found: (name: string) => void): boolean {
  const at = name.indexOf('@preset/');
  if (at <= 0) return false;
  found(name.slice(0, at));
  found(name.slice(at));
  return true;
}

class Search {
  readonly #found: (name: string) => void;
  #left = MAX_VALUES;

  constructor(found: (name: string) => void) {
    this.#found = found;
  }

  search(body: JsonObject): void {
    for (const key in body) {
      if (key !== 'model' && !CONTENT.has(key) && !OWN.has(key)) this.#field(key, body[key], 1);
    }
    // Its router then chooses the model to fall back to.
    if (body.route === 'fallback' && body.models === undefined) this.#found('openrouter/auto');
  }

  #field(key: string, value: unknown, depth: number): void {
    if (typeof value === 'string') {
      // Perplexity has presets as well.
      const isPreset = key === 'preset';
      if (isPreset && value.length <= MAX_NAMES)
        this.#found(value.startsWith('@preset/') ? value : `@preset/${value}`);
      else if (isPreset || names(key)) this.#listed(value);
    } else if (typeof value === 'object' && value !== null) this.#values(value, names(key), depth);
  }

  /** @param named whether texts in it are names */
  #values(value: object, named: boolean, depth: number): void {
    if ((this.#left -= 1) < 0 || depth > MAX_DEPTH) throw tooMuch();
    if (Array.isArray(value)) {
      for (const each of value as unknown[]) {
        if (typeof each === 'string') {
          if ((this.#left -= 1) < 0) throw tooMuch();
          if (named) this.#listed(each);
        } else if (typeof each === 'object' && each !== null) this.#values(each, named, depth + 1);
      }
      return;
    }
    const fields = value as JsonObject;
    const isSchema = isObject(fields.properties) || isObject(fields.$defs);
    // LiteLLM's `{"model": ["fallback"]}`, as opposed to an object that says which of its fields is the name.
    const isMap = named && !Object.keys(fields).some(names);
    for (const key in fields) {
      if (OWN.has(key) || (isSchema && OF_SCHEMA.has(key))) continue;
      const each = fields[key];
      if (!isMap) this.#field(key, each, depth + 1);
      else if (typeof each === 'string') this.#listed(each);
      else if (typeof each === 'object' && each !== null) this.#values(each, true, depth + 1);
    }
  }

  #listed(name: string): void {
    if (name.length > MAX_NAMES) throw tooMuch();
    if (!within(name, this.#found) && name !== '') this.#found(name);
  }
}

function names(key: string): boolean {
  return NAMING.test(key.length > 40 ? '' : key.replaceAll(/[^a-z]/gi, '').toLowerCase());
}

function tooMuch(): ProxyError {
  return new ProxyError(
    'invalid_request',
    'Cannot accept the request: it is too large beside its content to be searched for models, which the key or a limit requires',
  );
}
