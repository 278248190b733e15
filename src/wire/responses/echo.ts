/**
 * The fields of a request that a response echoes. Official clients validate the type of each field: a value of another
 * type was ignored, and the field has its default.
 */
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

const VERBOSITIES = ['low', 'medium', 'high'];
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'];
const SUMMARIES = ['auto', 'concise', 'detailed'];
const CHOICES = ['none', 'auto', 'required'];
const TIERS = ['auto', 'default', 'flex', 'scale', 'priority'];

/** One of these values; `undefined` for anything else. */
function oneOf(words: readonly string[], value: unknown): string | undefined {
  return words.find((word) => word === value);
}

/** The requested text format. */
export function echoedText(text: unknown): JsonObject {
  const { format, verbosity } = objectOf(text);
  const echoed = oneOf(VERBOSITIES, verbosity);
  return { format: echoedFormat(objectOf(format)), ...(echoed === undefined ? {} : { verbosity: echoed }) };
}

function echoedFormat({ type, name, schema, description, strict }: JsonObject): JsonObject {
  if (type === 'json_object') return { type };
  if (type !== 'json_schema' || typeof name !== 'string' || !isObject(schema)) return { type: 'text' };
  return {
    type,
    name,
    ...(typeof description === 'string' ? { description } : {}),
    schema,
    strict: strict === true,
  };
}

/** The requested reasoning. */
export function echoedReasoning(reasoning: unknown): JsonObject {
  const { effort, summary } = objectOf(reasoning);
  return { effort: oneOf(EFFORTS, effort) ?? null, summary: oneOf(SUMMARIES, summary) ?? null };
}

/** The requested tool choice. */
export function echoedChoice(choice: unknown): unknown {
  const named = objectOf(choice);
  const isNamed = named.type === 'function' && typeof named.name === 'string';
  return isNamed ? { type: 'function', name: named.name } : (oneOf(CHOICES, choice) ?? 'auto');
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = Number.isInteger;

/**
 * The types of tools, and the fields that each requires. Clients refuse a response with any other type.
 * @see https://platform.openai.com/docs/api-reference/responses/object
 */
const TOOLS: ReadonlyMap<unknown, Readonly<Record<string, Check>>> = new Map([
  ['function', { name: isText }],
  ['custom', { name: isText }],
  ['namespace', { name: isText, description: isText, tools: Array.isArray }],
  ['mcp', { server_label: isText }],
  ['file_search', { vector_store_ids: (ids: unknown) => Array.isArray(ids) && ids.every(isText) }],
  ['code_interpreter', { container: (container: unknown) => isText(container) || isObject(container) }],
  ['computer_use_preview', { environment: isText, display_width: isNumber, display_height: isNumber }],
  ...[
    'apply_patch',
    'computer',
    'image_generation',
    'local_shell',
    'programmatic_tool_calling',
    'shell',
    'tool_search',
    'web_search',
    'web_search_2025_08_26',
    'web_search_preview',
    'web_search_preview_2025_03_11',
  ].map((type) => [type, {}] as const),
]);

/** The valid tools; functions with the fields that may be omitted in requests, but not in responses. */
export function echoedTools(tools: unknown): JsonObject[] {
  return listOf(tools).flatMap((tool) => {
    const required = isObject(tool) ? TOOLS.get(tool.type) : undefined;
    if (!isObject(tool) || required === undefined) return [];
    if (!Object.entries(required).every(([name, check]) => check(tool[name]))) return [];
    if (tool.type !== 'function') return [tool];
    const { description, parameters, strict } = tool;
    const echoed = {
      ...tool,
      description: stringOf(description) ?? null,
      parameters: isObject(parameters) ? parameters : null,
      strict: strict === true,
    };
    return [echoed];
  });
}

export function echoedTier(tier: unknown): string {
  return oneOf(TIERS, tier) ?? 'default';
}

export function echoedTruncation(truncation: unknown): string {
  return truncation === 'auto' ? 'auto' : 'disabled';
}

/** The metadata whose values are texts. */
export function echoedMetadata(metadata: unknown): JsonObject {
  const texts = Object.entries(objectOf(metadata)).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(texts);
}
