/**
 * Calls of tools that OpenAI defines and the client runs, such as a shell: for other providers they are function calls
 * with that name, and their results are function results.
 */
import type { ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, objectOf, stringOf } from '../json.ts';

/** The items, by the names of their tools, and the field that contains the action. */
const CALLS: Readonly<Record<string, readonly [tool: string, field: string]>> = {
  shell_call: ['shell', 'action'],
  local_shell_call: ['local_shell', 'action'],
  apply_patch_call: ['apply_patch', 'operation'],
  computer_call: ['computer', 'action'],
};

const OUTPUT = /_output$/;

/** Decodes such a call; `undefined` for another item. */
export function ownCall(item: JsonObject): ToolCall | undefined {
  const type = stringOf(item.type) ?? '';
  if (!Object.hasOwn(CALLS, type)) return undefined;
  const [name, field] = CALLS[type]!;
  const id = stringOf(item.call_id) ?? stringOf(item.id);
  if (!id) return undefined;
  // Computer use may have several actions at once.
  const given = isObject(item[field])
    ? item[field]
    : item.actions === undefined
      ? {}
      : { actions: item.actions };
  return { id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
}

/** Decodes such a result, with the id of its call; `undefined` for another item. */
export function ownOutput(item: JsonObject): { id: string; content: string | ContentPart[] } | undefined {
  const type = stringOf(item.type) ?? '';
  if (!OUTPUT.test(type) || !Object.hasOwn(CALLS, type.replace(OUTPUT, ''))) return undefined;
  const id = stringOf(item.call_id) ?? stringOf(item.id);
  return id ? { id, content: contentOf(item) } : undefined;
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
