import type { ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { wordOf } from '../words.ts';

/** Decodes a tool definition; a tool without a counterpart yields none. */
type Decode = (tool: JsonObject, at: string) => ChatTool[];

interface Change {
  readonly block: JsonObject;
  readonly at: string;
}

/** Whether a block in a conversation adds or removes a tool from there on. */
export function isToolChange({ type }: JsonObject): boolean {
  return type === 'tool_addition' || type === 'tool_removal';
}

/**
 * The tools that are available at the end of a conversation: chat cannot express that they change during it.
 * @param tools those that the request declares
 * @param dropped collects the types of blocks about unsupported things, such as MCP servers
 * @throws ProxyError `invalid_request` naming the invalid field
 * @see https://docs.anthropic.com/en/api/messages, blocks `tool_addition` and `tool_removal`
 */
export function changeTools(
  tools: ChatTool[],
  messages: unknown,
  decode: Decode,
  dropped: Set<string>,
): ChatTool[] {
  const changes = changesIn(messages);
  if (changes.length === 0) return tools;
  const known = new Map(tools.map((tool) => [tool.function.name, tool]));
  const offered = new Map(known);
  for (const { block, at } of changes) {
    const { type, name, definition } = objectOf(block.tool);
    if (block.type === 'tool_addition' && type === 'tool_definition' && isObject(definition)) {
      for (const tool of decode(definition, `${at}.tool.definition`)) {
        known.set(tool.function.name, tool);
        offered.set(tool.function.name, tool);
      }
      continue;
    }
    const named = type === 'tool_reference' ? known.get(stringOf(name) ?? '') : undefined;
    if (!named) dropped.add(`content.${wordOf(block.type)}`);
    else if (block.type === 'tool_removal') offered.delete(named.function.name);
    else offered.set(named.function.name, named);
  }
  return [...offered.values()];
}

function changesIn(messages: unknown): Change[] {
  return listOf(messages).flatMap((message, index) =>
    listOf(objectOf(message).content).flatMap((block, place) =>
      isObject(block) && isToolChange(block) ? [{ block, at: `messages.${index}.content.${place}` }] : [],
    ),
  );
}
