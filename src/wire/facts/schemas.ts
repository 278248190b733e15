/** What a provider has to compile a schema for: structured output, and strict tools. */
import type { ChatRequest, ChatTool } from '../chat.ts';
import { listOf, objectOf } from '../json.ts';

export function hasSchemas({ response_format: format, tools }: ChatRequest): boolean {
  return format?.type === 'json_schema' || listOf(tools).some(isStrict);
}

function isStrict(tool: unknown): boolean {
  return objectOf(objectOf(tool).function).strict === true;
}

/** The request without strict tools. @param dropped collects the name of what is left out */
export function withoutStrictness(request: ChatRequest, dropped: string[]): ChatRequest {
  const { tools } = request;
  if (!Array.isArray(tools) || !tools.some(isStrict)) return request;
  dropped.push('tools.function.strict');
  return { ...request, tools: tools.map((tool) => (isStrict(tool) ? lenient(tool) : tool)) };
}

function lenient(tool: ChatTool): ChatTool {
  const { strict: _, ...fn } = tool.function;
  return { ...tool, function: fn };
}
