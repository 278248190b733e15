import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { GeminiModel } from './models.ts';
import { entryOf, isObject, listOf, objectOf } from '../json.ts';
import { hostedTools, knownOptions, wordFor } from '../parts/hosted-tools.ts';
import { invalid, unsupported } from './parts.ts';
import { openapiSchema } from './schema.ts';
import { named } from '../words.ts';

/**
 * Functions and how they are to be called. What is no function is left out, and named in `dropped`.
 * @returns the fields of the request; none when there is no function left
 * @throws ProxyError `invalid_request` for a function without a name, `unsupported` for a choice of another kind
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

/** Google's own tools, by what others call them. */
const HOSTED: Readonly<Record<string, string>> = {
  web_search: 'googleSearch',
  code_execution: 'codeExecution',
};

/**
 * The tools that Google runs beside the functions: older models take either of both, and functions are what the client
 * cannot do without.
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

/** A function without parameters has none: an object without properties is refused. */
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
  /** The only functions that may be called, where the rest must not be told. */
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

/** Names may be given where a call is demanded. Otherwise the functions that are not allowed are not told. */
function allowed({ mode, tools }: JsonObject): Choice {
  const only = new Set(listOf(tools).map((tool) => objectOf(objectOf(tool).function).name));
  return { only, config: { mode: mode === 'required' ? 'ANY' : 'AUTO' } };
}
