import type { Iteration } from './iterations.ts';
import type { JsonObject } from './json.ts';
import type { Unit, Units } from './units.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { unitsOf } from './units.ts';
import { plainUsage } from './usage.ts';

/** Tools that the provider runs, by the beginning of their type, and what a call of them is charged by. */
const TYPES: readonly (readonly [RegExp, readonly Unit[]])[] = [
  [/^web_search_preview/, ['previewSearches']],
  [/^(?:web_search|browser_search|x_search|google_search)/, ['webSearches']],
  [/^google_maps/, ['mapSearches']],
  [/^file_search/, ['fileSearches']],
  // A container at OpenAI, a call at Mistral and xAI: each vendor has a price for one of them.
  [/^code_interpreter/, ['containerGigabytes', 'codeCalls']],
  [/^shell/, ['containerGigabytes']],
];

/** Gemini's tools are fields. */
const FIELDS: Readonly<Record<string, Unit>> = {
  google_search: 'webSearches',
  googleSearch: 'webSearches',
  google_search_retrieval: 'webSearches',
  googleSearchRetrieval: 'webSearches',
  google_maps: 'mapSearches',
  googleMaps: 'mapSearches',
};

/** More tools than a request has; each of them would be compared with every type. */
const MOST_TOOLS = 1_000;

/**
 * The least that the tools of a request are charged by if the model uses each of them, in any protocol. How often it
 * does is not known before the answer.
 */
export function requestedTools({ tools }: JsonObject): Units {
  if (!tools) return {};
  const amounts: { [name in Unit]?: number } = {};
  for (const tool of listOf(tools).slice(0, MOST_TOOLS)) {
    if (!isObject(tool)) continue;
    const { type } = tool;
    // Almost all tools are functions.
    if (type === 'function' || type === 'custom') continue;
    for (const unit of typeof type === 'string' ? unitsOfType(type) : unitsOfFields(tool))
      amounts[unit] = unit === 'containerGigabytes' ? gigabytesIn(tool) : 1;
  }
  return unitsOf(amounts);
}

/** The model of OpenAI's image tool if the tool does not name one. @see https://developers.openai.com/api/docs/guides/tools-image-generation */
export const IMAGE_MODEL = 'gpt-image-1';

/** The tokens of a square image by its quality. @see https://developers.openai.com/api/docs/guides/image-generation */
const IMAGE_TOKENS: ReadonlyMap<unknown, number> = new Map([
  ['low', 272],
  ['high', 4_160],
]);
const MEDIUM_IMAGE_TOKENS = 1_056;

/** What a request is charged for at least if the model makes an image with its tool: that of another model. */
export function requestedImage({ tools }: JsonObject): Iteration[] {
  if (!tools) return [];
  const tool = listOf(tools)
    .slice(0, MOST_TOOLS)
    .map(objectOf)
    .find(({ type }) => type === 'image_generation');
  if (!tool) return [];
  const output = IMAGE_TOKENS.get(tool.quality) ?? MEDIUM_IMAGE_TOKENS;
  return [
    { model: stringOf(tool.model) ?? IMAGE_MODEL, usage: { ...plainUsage(0, output), outputImage: output } },
  ];
}

function unitsOfType(type: string): readonly Unit[] {
  return TYPES.find(([beginning]) => beginning.test(type))?.[1] ?? [];
}

function unitsOfFields(tool: JsonObject): Unit[] {
  return Object.keys(tool).flatMap((name) => (Object.hasOwn(FIELDS, name) ? (FIELDS[name] ?? []) : []));
}

/** The memory of a tool's container; none if code runs at the client. Its price is proportional to it. */
export function gigabytesIn({ container, environment }: JsonObject): number {
  const { type, memory_limit: limit } = objectOf(container ?? environment);
  if (type === 'local') return 0;
  const [, gigabytes] = /^(\d{1,2})g$/.exec(stringOf(limit) ?? '') ?? [];
  return Math.max(1, Number(gigabytes ?? 1));
}
