import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { toolSchema } from '../parts/tool-schema.ts';

/** `tools` and `tool_choice`. A particular tool cannot be forced, but it can be the only one declared. */
export function encodeTools(request: ChatRequest, dropped: string[]): JsonObject {
  const { tool_choice: choice, parallel_tool_calls } = request;
  const functions = listOf(request.tools).flatMap((tool, index): JsonObject[] => {
    const { function: fn, type } = objectOf(tool);
    if (type === 'function' && isObject(fn)) return [fn];
    dropped.push(`tools[${index}]`);
    return [];
  });
  const name = isObject(choice) ? stringOf(objectOf(choice.function).name) : undefined;
  const wanted = name === undefined ? functions : functions.filter((fn) => fn.name === name);
  if (wanted.length === 0) return {};
  if (parallel_tool_calls === false) dropped.push('parallel_tool_calls');
  return {
    tools: wanted.map(encodeTool),
    ...(wanted.every(isStrict) ? { strict_tools: true } : {}),
    ...(choice === 'none' ? { tool_choice: 'NONE' } : {}),
    ...(choice === 'required' || name !== undefined ? { tool_choice: 'REQUIRED' } : {}),
  };
}

function encodeTool({ name, description, parameters }: JsonObject): JsonObject {
  const about = stringOf(description) === undefined ? {} : { description };
  return { type: 'function', function: { name, ...about, parameters: toolSchema(parameters) } };
}

/** Strictness applies to all tools or none, and each must have a required parameter. */
function isStrict({ strict, parameters }: JsonObject): boolean {
  return strict === true && listOf(objectOf(parameters).required).length > 0;
}
