/**
 * Calls of tools that OpenAI defines and the client runs, such as a shell: for other providers they are function calls
 * with that name, and their results are function results.
 */
import type { ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** The items, by the names of their tools, and the field that contains the action. */
const CALLS: Readonly<Record<string, readonly [tool: string, field: string]>> = {
  shell_call: ['shell', 'action'],
  local_shell_call: ['local_shell', 'action'],
  apply_patch_call: ['apply_patch', 'operation'],
  computer_call: ['computer', 'action'],
  tool_search_call: ['tool_search', 'arguments'],
};

const OUTPUT = /_output$/;

/** Decodes such a call; `undefined` for another item. */
export function ownCall(item: JsonObject): ToolCall | undefined {
  const type = stringOf(item.type) ?? '';
  if (!Object.hasOwn(CALLS, type)) return undefined;
  const [name, field] = CALLS[type]!;
  const id = idOf(item);
  if (!id) return undefined;
  // Computer use may have several actions at once.
  const given = isObject(item[field])
    ? item[field]
    : item.actions === undefined
      ? {}
      : { actions: item.actions };
  return { id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
}

/**
 * Decodes such a result, with the id of its call; `undefined` for another item.
 * @param nameOf the model's name for a tool of the request, which may be in a namespace
 */
export function ownOutput(
  item: JsonObject,
  nameOf: (tool: JsonObject) => string,
): { id: string; content: string | ContentPart[] } | undefined {
  const type = stringOf(item.type) ?? '';
  const finds = type === 'tool_search_output';
  if (!finds && !(OUTPUT.test(type) && Object.hasOwn(CALLS, type.replace(OUTPUT, '')))) return undefined;
  const id = idOf(item);
  return id ? { id, content: finds ? foundTools(item, nameOf) : contentOf(item) } : undefined;
}

/** `undefined` for a search that OpenAI ran itself, which has no call id or says so. */
function idOf({ type, call_id, id, execution }: JsonObject): string | undefined {
  if (!stringOf(type)?.startsWith('tool_search')) return stringOf(call_id) ?? stringOf(id);
  return execution === 'server' ? undefined : stringOf(call_id);
}

/** The names of the tools that a search found. The tools themselves are added to those of the request. */
function foundTools({ tools }: JsonObject, nameOf: (tool: JsonObject) => string): string {
  const names = listOf(tools)
    .map(objectOf)
    .flatMap((tool) =>
      tool.type === 'namespace'
        ? listOf(tool.tools).map((inner) => nameOf({ ...objectOf(inner), namespace: tool.name }))
        : [nameOf(tool)],
    );
  return JSON.stringify({ tools: names });
}

function contentOf({ output, status }: JsonObject): string | ContentPart[] {
  if (typeof output === 'string') return output;
  if (Array.isArray(output)) return output.map(printed).join('\n');
  const { type, image_url: url } = objectOf(output);
  if (type === 'computer_screenshot' && typeof url === 'string') {
    return [{ type: 'image_url', image_url: { url } }];
  }
  return output === undefined || output === null ? (stringOf(status) ?? '') : JSON.stringify(output);
}

/** The output of a command, and its exit status unless it succeeded. */
function printed(each: unknown): string {
  const { stdout, stderr, outcome } = objectOf(each);
  const { type, exit_code: code } = objectOf(outcome);
  const ended =
    type === 'exit' && code === 0 ? [] : [type === 'exit' ? `exit code ${String(code)}` : stringOf(type)];
  return [stringOf(stdout), stringOf(stderr), ...ended].filter(Boolean).join('\n');
}
