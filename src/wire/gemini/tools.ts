import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { GeminiModel } from './models.ts';
import { entryOf, isObject, listOf, objectOf } from '../json.ts';
import { hostedTools, knownOptions, wordFor } from '../parts/hosted-tools.ts';
import { invalid, unsupported } from './parts.ts';
import { openapiSchema } from './schema.ts';
import { named } from '../words.ts';

/**
 * Functions, and how they may be called. Tools that are not functions are left out and added to `dropped`.
 * @returns the fields of the request; empty if there is no function left
 * @throws ProxyError `invalid_request` for a function without a name, `unsupported` for another kind of choice
 */
export function encodeTools(request: ChatRequest, model: GeminiModel, dropped: string[]): JsonObject {
  const { only, config } = choiceOf(request.tool_choice);
  const functions = listOf(request.tools).flatMap((tool, index) => {
    const { type, function: fn } = objectOf(tool);
    if (type === 'function' && isObject(fn)) return [declaration(fn, model, `tools[${index}]`)];
    dropped.push(`tools[${index}]`);
    return [];
  });
  const declared = only ? functions.filter(({ name }) => only.has(name)) : functions;
  if (declared.length === 0) return {};
  return {
    tools: [{ functionDeclarations: declared }],
    ...(config ? { toolConfig: { functionCallingConfig: config } } : {}),
  };
}

/** Google's own tools, by their names in other APIs. */
const HOSTED: Readonly<Record<string, string>> = {
  web_search: 'googleSearch',
  code_execution: 'codeExecution',
};

/**
 * The hosted tools together with the functions: older models accept only one of the two kinds, and functions are what
 * the client cannot do without.
 */
export function withHosted(
  fields: JsonObject,
  request: ChatRequest,
  model: GeminiModel,
  dropped: string[],
): JsonObject {
  const wanted = hostedTools(request);
  const alone = fields.tools === undefined || model.pairsById;
  const hosted = wanted.flatMap((tool) => {
    const name = alone ? entryOf(HOSTED, tool.name) : undefined;
    if (name === undefined) dropped.push(wordFor(tool));
    else knownOptions(tool, [], dropped);
    return name === undefined ? [] : [{ [name]: {} }];
  });
  return hosted.length > 0 ? { ...fields, tools: [...listOf(fields.tools), ...hosted] } : fields;
}

function declaration(
  { name, description, parameters }: JsonObject,
  model: GeminiModel,
  at: string,
): JsonObject {
  if (typeof name !== 'string' || name === '') throw invalid(at, 'function.name is missing');
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...parametersOf(parameters, model),
  };
}

/** The schema of a function without parameters is omitted: an object without properties is rejected. */
function parametersOf(schema: unknown, { jsonSchema }: GeminiModel): JsonObject {
  if (!isObject(schema)) return {};
  const { type, properties, additionalProperties } = schema;
  const open = jsonSchema && additionalProperties !== undefined && additionalProperties !== false;
  const empty = (type === 'object' || type === undefined) && Object.keys(objectOf(properties)).length === 0;
  const composed = ['$ref', 'allOf', 'anyOf', 'oneOf'].some((name) => schema[name] !== undefined);
  if (empty && !open && !composed) return {};
  return jsonSchema ? { parametersJsonSchema: schema } : { parameters: openapiSchema(schema) };
}

interface Choice {
  /** The only functions that may be called, if the others must be left out. */
  readonly only?: ReadonlySet<unknown>;
  readonly config?: JsonObject;
}

function choiceOf(choice: unknown): Choice {
  if (choice === undefined || choice === null) return {};
  if (choice === 'auto') return { config: { mode: 'AUTO' } };
  if (choice === 'none') return { config: { mode: 'NONE' } };
  if (!isObject(choice)) return { config: { mode: 'ANY' } };
  if (choice.type === 'allowed_tools') return allowed(objectOf(choice.allowed_tools));
  const { name } = objectOf(choice.function);
  if (typeof name === 'string') return { config: { mode: 'ANY', allowedFunctionNames: [name] } };
  throw unsupported('tool_choice', `it has no choice of type ${named(choice.type)}`);
}

/** Names may be given if a call is required. Otherwise functions that are not allowed are left out. */
function allowed({ mode, tools }: JsonObject): Choice {
  const only = new Set(listOf(tools).map((tool) => objectOf(objectOf(tool).function).name));
  return { only, config: { mode: mode === 'required' ? 'ANY' : 'AUTO' } };
}
