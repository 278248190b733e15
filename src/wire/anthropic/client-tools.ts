import type { ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { isObject, stringOf } from '../json.ts';
import { searchOptions } from '../parts/hosted-tools.ts';
import { flagIn, nameAt, objectAt, objectsAt, textAt, wrong } from './client-check.ts';
import { cacheOf } from './client-parts.ts';
import { changeTools } from './client-tool-changes.ts';
import { wordOf } from '../words.ts';

const KNOWN = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);

/**
 * Decodes `tools`, with the changes made during the conversation, and `tool_choice`. Tools that only Anthropic defines
 * or runs have no counterpart and are left out.
 * @throws ProxyError `invalid_request` naming the invalid field
 */
export function decodeTools(body: JsonObject, dropped: Set<string>): Partial<ChatRequest> {
  const given = objectsAt(body.tools ?? [], 'tools', false);
  const hosted = given.flatMap(hostedTool);
  const declared = given.flatMap((tool, index) => decodeTool(tool, `tools.${index}`, dropped));
  const decode = (tool: JsonObject, at: string) => decodeTool(tool, at, dropped);
  const tools = changeTools(declared, body.messages, decode, dropped);
  const choice = decodeChoice(body.tool_choice);
  if (tools.length === 0) {
    const forced =
      isObject(body.tool_choice) && choice.tool_choice !== 'none' && choice.tool_choice !== 'auto';
    if (forced) dropped.add('tool_choice');
    return hostedField(hosted);
  }
  const { tool_choice } = choice;
  if (isObject(tool_choice) && !tools.some(({ function: fn }) => fn.name === tool_choice.function.name)) {
    dropped.add('tool_choice');
    delete choice.tool_choice;
  }
  return { tools, ...choice, ...hostedField(hosted) };
}

/** The tools that Anthropic runs, by the prefixes of their types, which end with a date. */
const HOSTED = /^(web_search|web_fetch|code_execution)_\d/;

function hostedTool(tool: JsonObject): HostedTool[] {
  const name = HOSTED.exec(stringOf(tool.type) ?? '')?.[1];
  if (name === undefined) return [];
  return [{ name, options: searchOptions(tool), native: { protocol: 'messages', value: tool } }];
}

function hostedField(hosted: readonly HostedTool[]): Partial<ChatRequest> {
  return hosted.length > 0 ? { hosted_tools: hosted } : {};
}

function decodeTool(tool: JsonObject, at: string, dropped: Set<string>): ChatTool[] {
  if (hostedTool(tool).length > 0) return [];
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
