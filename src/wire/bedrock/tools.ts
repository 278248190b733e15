import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ConverseModel } from './models.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { hostedTools, knownOptions, wordFor } from '../parts/hosted-tools.ts';
import { cachePoint } from './messages.ts';
import type { SchemaBudget } from '../parts/schema-budget.ts';
import { closedSchema } from '../parts/closed-schema.ts';
import { rootSchema } from '../parts/root-schema.ts';

interface Requested {
  readonly model: ConverseModel;
  /** Whether the model thinks before it answers; Claude cannot be forced to call a tool then. */
  readonly thinking: boolean;
  /** The tool whose call stands for structured output. */
  readonly structured: JsonObject | undefined;
  /** Of strict tools. */
  readonly budget: SchemaBudget;
}

/**
 * `toolConfig`. Converse rejects a conversation with calls if the tools that were called are not declared, and the only
 * way to forbid calls is to declare no tools.
 */
export function toolConfig(
  request: ChatRequest,
  turns: readonly { readonly content: readonly JsonObject[] }[],
  { model, thinking, structured, budget }: Requested,
  dropped: string[],
): JsonObject {
  const called = calledNames(turns);
  const forbidden = request.tool_choice === 'none';
  const wanted = forbidden && called.length === 0 ? [] : toolSpecs(request, { model, budget }, dropped);
  if (forbidden && called.length > 0) dropped.push('tool_choice');
  const system = structured ? [] : systemTools(request, model, dropped);
  const requested = [...wanted, ...system];
  const specs = requested.length > 0 || structured ? requested : called.map((name) => spec({ name }));
  const tools = structured ? [...specs, structured] : specs;
  if (tools.length === 0) return {};
  const choice = structured
    ? structuredChoice(request, structured, wanted.length > 0, model)
    : toolChoice(request, thinking);
  return { toolConfig: { tools, ...(choice ? { toolChoice: choice } : {}) } };
}

/**
 * Claude's own field for at most one call at a time. It repeats the choice unless `toolConfig` has one, with which
 * Converse rejects it.
 * @param config the result of {@link toolConfig}
 * @see https://github.com/BerriAI/litellm/blob/main/litellm/llms/bedrock/chat/converse_transformation.py
 */
export function singleCall(
  { parallel_tool_calls: parallel }: ChatRequest,
  { reasoning }: ConverseModel,
  config: JsonObject,
  dropped: string[],
): JsonObject {
  if (parallel !== false || !('toolConfig' in config)) return {};
  if (reasoning !== 'claude') {
    dropped.push('parallel_tool_calls');
    return {};
  }
  const chosen = 'toolChoice' in objectOf(config.toolConfig);
  return { tool_choice: { ...(chosen ? {} : { type: 'auto' }), disable_parallel_tool_use: true } };
}

/** A function as a tool of Converse. @param budget of strict tools; without one it is not strict */
export function spec(
  { name, description, parameters, strict }: JsonObject,
  budget?: SchemaBudget,
): JsonObject {
  const schema = rootSchema(parameters);
  const closed = strict === true ? budget?.grant(closedSchema(schema), 'tool') : undefined;
  return {
    toolSpec: {
      name,
      // Empty descriptions are rejected.
      ...(stringOf(description) ? { description } : {}),
      inputSchema: { json: closed ?? schema },
      ...(closed ? { strict: true } : {}),
    },
  };
}

/** Nova's own tools; other models have none. */
function systemTools(request: ChatRequest, model: ConverseModel, dropped: string[]): JsonObject[] {
  return hostedTools(request).flatMap((tool) => {
    const name = model.hosted[tool.name];
    if (name === undefined) dropped.push(wordFor(tool));
    else knownOptions(tool, [], dropped);
    return name === undefined ? [] : [{ systemTool: { name } }];
  });
}

function toolSpecs(
  request: ChatRequest,
  { model, budget }: Pick<Requested, 'model' | 'budget'>,
  dropped: string[],
): JsonObject[] {
  return listOf(request.tools).flatMap((tool, index) => {
    const { function: fn, type, cache_control } = objectOf(tool);
    if (type !== 'function' || !isObject(fn)) {
      dropped.push(`tools[${index}]`);
      return [];
    }
    const mark = model.caching === 'everywhere' ? cachePoint(cache_control, model) : [];
    // Models without structured outputs reject the field.
    return [spec(fn, model.jsonSchema ? budget : undefined), ...mark];
  });
}

function calledNames(turns: readonly { readonly content: readonly JsonObject[] }[]): string[] {
  const names = new Set<string>();
  for (const { content } of turns)
    for (const { toolUse } of content) if (isObject(toolUse)) names.add(stringOf(toolUse.name) ?? '');
  return [...names];
}

function toolChoice({ tool_choice: choice }: ChatRequest, thinking: boolean): JsonObject | undefined {
  if (choice === 'required' && !thinking) return { any: {} };
  const name = isObject(choice) ? stringOf(objectOf(choice.function).name) : undefined;
  if (name !== undefined && !thinking) return { tool: { name } };
  return choice === 'auto' ? { auto: {} } : undefined;
}

/** If other tools may be called as well, the model must call some tool; otherwise the one that is the answer. */
function structuredChoice(
  { tool_choice: choice }: ChatRequest,
  structured: JsonObject,
  others: boolean,
  { demands }: ConverseModel,
): JsonObject | undefined {
  if (demands === 'none') return undefined;
  if (demands === 'any' || (others && choice !== 'none')) return { any: {} };
  return { tool: { name: objectOf(structured.toolSpec).name } };
}
