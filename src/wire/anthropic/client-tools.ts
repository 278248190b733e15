import type { ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { flagIn, nameAt, objectAt, objectsAt, textAt, wrong } from './client-check.ts';
import { cacheOf } from './client-parts.ts';
import { changeTools } from './client-tool-changes.ts';
import { wordOf } from '../words.ts';

const KNOWN = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);

/**
 * `tools`, with what the conversation changes about them, and `tool_choice`. Tools that only Anthropic knows or runs have no counterpart and are left out.
 * @throws ProxyError `invalid_request` naming the field at fault
 */
export function decodeTools(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = body.tools ?? [];
  const declared = objectsAt(given, 'tools', false).flatMap((tool, index) =>
    decodeTool(tool, `tools.${index}`, dropped),
  );
  const decode = (tool: JsonObject, at: string) => decodeTool(tool, at, dropped);
  const tools = changeTools(declared, body.messages, decode, dropped);
  const choice = decodeChoice(body.tool_choice);
  if (tools.length === 0) {
    if (body.tool_choice !== undefined && choice.tool_choice !== 'none') dropped.add('tool_choice');
    return {};
  }
  const { tool_choice } = choice;
  if (isObject(tool_choice) && !tools.some(({ function: fn }) => fn.name === tool_choice.function.name)) {
    dropped.add('tool_choice');
    delete choice.tool_choice;
  }
  return { tools, ...choice };
}

function decodeTool(tool: JsonObject, at: string, dropped: Set<string>): ChatTool[] {
  if (tool.type !== undefined && tool.type !== null && tool.type !== 'custom') {
    dropped.add(`tools.${wordOf(tool.type)}`);
    return [];
  }
  for (const key in tool) if (!KNOWN.has(key) && tool[key]) dropped.add(`tools.${key}`);
  const name = nameAt(tool, 'name', at);
  const parameters = objectAt(tool, 'input_schema', at);
  const described = tool.description === undefined || tool.description === null;
  return [
    {
      type: 'function',
      function: {
        name,
        ...(described ? {} : { description: textAt(tool, 'description', at) }),
        parameters,
        ...(flagIn(tool, 'strict', at) ? { strict: true } : {}),
      },
      ...cacheOf(tool),
    },
  ];
}

type Choice = Pick<ChatRequest, 'tool_choice' | 'parallel_tool_calls'>;

function decodeChoice(choice: unknown): Choice {
  if (choice === undefined || choice === null) return {};
  if (!isObject(choice)) throw wrong('tool_choice', 'expected an object');
  const single = flagIn(choice, 'disable_parallel_tool_use', 'tool_choice')
    ? { parallel_tool_calls: false }
    : {};
  switch (textAt(choice, 'type', 'tool_choice')) {
    case 'auto':
      return { tool_choice: 'auto', ...single };
    case 'any':
      return { tool_choice: 'required', ...single };
    case 'none':
      return { tool_choice: 'none' };
    case 'tool': {
      const name = nameAt(choice, 'name', 'tool_choice');
      return { tool_choice: { type: 'function', function: { name } }, ...single };
    }
    default:
      throw wrong('tool_choice.type', 'expected "auto", "any", "tool" or "none"');
  }
}
