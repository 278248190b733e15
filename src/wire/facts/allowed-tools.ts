import type { ChatRequest } from '../chat.ts';
import type { ProtocolName } from '../protocol.ts';
import { isObject, listOf, objectOf } from '../json.ts';

/** Protocols that can limit a choice to some of the tools. */
const CAN_LIMIT: ReadonlySet<ProtocolName> = new Set(['chat', 'responses', 'gemini']);

/**
 * `tool_choice` of the type `allowed_tools` for the other protocols: tools that are not allowed are left out of the
 * request, which has the same effect.
 */
export function withAllowedTools(request: ChatRequest, protocol: ProtocolName): ChatRequest {
  const choice: unknown = request.tool_choice;
  if (CAN_LIMIT.has(protocol) || !isObject(choice) || choice.type !== 'allowed_tools') return request;
  const { mode, tools: allowed } = objectOf(choice.allowed_tools);
  const names = new Set(listOf(allowed).map(nameOf));
  const left = listOf(request.tools).filter((tool) => names.has(nameOf(tool))) as ChatRequest['tools'];
  const { tools: _tools, tool_choice: _choice, ...rest } = request;
  return left?.length
    ? { ...rest, tools: left, tool_choice: mode === 'required' ? 'required' : 'auto' }
    : rest;
}

function nameOf(tool: unknown): unknown {
  return objectOf(objectOf(tool).function).name;
}
