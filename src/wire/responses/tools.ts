import type { ChatRequest, ChatTool } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import type { HostedTool } from '../parts/hosted-tools.ts';
import { freeTextTool } from '../parts/free-text.ts';
import { searchOptions } from '../parts/hosted-tools.ts';
import { choiceMode, choiceName } from '../parts/tool-choice.ts';
import { wordOf } from '../words.ts';
import { withoutEncryption } from './agents.ts';
import { ownTool } from './own-tools.ts';

/** How a function of the model is presented to the client. */
export interface ToolOrigin {
  /** `own` are tools that OpenAI defines and the client runs. */
  readonly kind: 'function' | 'custom' | 'own';
  readonly name: string;
  /** The client's namespace of the tool. */
  readonly namespace?: string;
  /** Whether OpenAI would encrypt some of its arguments. */
  readonly encrypts?: true;
}

/** The tools of a request, and how calls of each are presented to the client. */
export interface ToolBox {
  readonly tools: readonly ChatTool[];
  readonly origins: ReadonlyMap<string, ToolOrigin>;
  /** The model's names of tools in namespaces, by `keyOf`. */
  readonly shown: ReadonlyMap<string, string>;
  /** Tools that run at OpenAI or cannot be expressed as functions, as "tools[3] (web_search)". */
  readonly dropped: readonly string[];
  /** Tools that the provider runs. */
  readonly hosted: readonly HostedTool[];
}

/**
 * Decodes the tools of a Responses request to functions of chat. A custom tool, which takes free text, becomes a
 * function with one text parameter; tools in a namespace are put beside the others.
 */
export function decodeTools(value: unknown): ToolBox {
  const tools: ChatTool[] = [];
  const origins = new Map<string, ToolOrigin>();
  const shownNames = new Map<string, string>();
  const dropped: string[] = [];
  const owned: (readonly [ChatTool, string])[] = [];
  const hosted: HostedTool[] = [];
  const add = (tool: JsonObject, at: string, namespace?: string) => {
    const name = stringOf(tool.name) ?? '';
    const kind = tool.type === 'custom' ? 'custom' : 'function';
    if ((tool.type !== 'function' && tool.type !== 'custom') || name === '') {
      dropped.push(`${at} (${wordOf(tool.type)})`);
      return;
    }
    const shown = origins.has(name) && namespace !== undefined ? `${namespace}__${name}`.slice(-64) : name;
    const { parameters, encrypts } = withoutEncryption(objectOf(tool.parameters));
    origins.set(shown, {
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(encrypts ? { encrypts } : {}),
    });
    if (namespace !== undefined) shownNames.set(keyOf(namespace, name), shown);
    const plain = encrypts ? { ...tool, parameters } : tool;
    tools.push(kind === 'custom' ? customTool(tool, shown) : functionTool(plain, shown));
  };
  listOf(value).forEach((each, index) => {
    const tool = objectOf(each);
    const at = `tools[${index}]`;
    const ran = hostedTool(tool);
    if (ran) return void hosted.push(ran);
    const own = ownTool(tool);
    if (own) return void owned.push([own, at]);
    if (tool.type !== 'namespace') return add(tool, at);
    for (const inner of listOf(tool.tools)) if (isObject(inner)) add(inner, at, stringOf(tool.name));
  });
  for (const [tool, at] of owned) {
    const { name } = tool.function;
    // One of the client's functions has the name.
    if (origins.has(name)) dropped.push(`${at} (${name})`);
    else {
      origins.set(name, { kind: 'own', name });
      tools.push(tool);
    }
  }
  return { tools, origins, shown: shownNames, dropped, hosted };
}

/** The tools that OpenAI runs, and their names in other APIs. */
const HOSTED = [
  [/^web_search/, 'web_search'],
  [/^code_interpreter$/, 'code_execution'],
  [/^image_generation$/, 'image_generation'],
] as const;

function hostedTool(tool: JsonObject): HostedTool | undefined {
  const type = stringOf(tool.type) ?? '';
  const [, name] = HOSTED.find(([pattern]) => pattern.test(type)) ?? [];
  if (name === undefined) return undefined;
  return { name, options: searchOptions(tool), native: { protocol: 'responses', value: tool } };
}

function functionTool({ description, parameters, strict }: JsonObject, name: string): ChatTool {
  return {
    type: 'function',
    function: {
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(isObject(parameters) ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  };
}

function customTool({ description, format }: JsonObject, name: string): ChatTool {
  return freeTextTool(name, stringOf(description), stringOf(objectOf(format).definition));
}

function keyOf(namespace: string, name: string): string {
  return JSON.stringify([namespace, name]);
}

/** The model's name for one of the client's tools. */
export function shownName({ shown }: ToolBox, item: JsonObject): string {
  const name = stringOf(item.name) ?? '';
  const namespace = stringOf(item.namespace);
  return (namespace === undefined ? undefined : shown.get(keyOf(namespace, name))) ?? name;
}

/** The same for the tool in a tool choice: tools that OpenAI defines are identified by type. */
function chosenName(box: ToolBox, tool: JsonObject): string {
  const type = stringOf(tool.type) ?? '';
  return box.origins.get(type)?.kind === 'own' ? type : shownName(box, tool);
}

/**
 * `tool_choice`, and the tools that it leaves to choose from.
 * @param dropped collects its name if it refers to a tool that was left out
 */
export function decodeChoice(
  choice: unknown,
  box: ToolBox,
  dropped: string[],
): Pick<ChatRequest, 'tools' | 'tool_choice'> {
  const tools = [...box.tools];
  const all = tools.length > 0 ? { tools } : {};
  const word = choiceMode(choice);
  if (choice === undefined || choice === null || word === 'auto' || word === 'none') {
    return tools.length > 0 && word !== undefined ? { ...all, tool_choice: word } : all;
  }
  if (tools.length > 0) {
    if (word === 'required') return { ...all, tool_choice: word };
    const { type, mode, tools: allowed, namespace } = objectOf(choice);
    const chosen = choiceName(objectOf(choice));
    if ((type === 'function' || type === 'custom' || type === 'tool') && chosen !== undefined) {
      const name = shownName(box, { name: chosen, namespace });
      return { ...all, tool_choice: { type: 'function', function: { name } } };
    }
    if (typeof type === 'string' && box.origins.get(type)?.kind === 'own') {
      return { ...all, tool_choice: { type: 'function', function: { name: type } } };
    }
    if (type === 'allowed_tools') {
      const names = new Set(listOf(allowed).map((tool) => chosenName(box, objectOf(tool))));
      const left = tools.filter((tool) => names.has(tool.function.name));
      const how = mode === 'required' ? 'required' : 'auto';
      return left.length > 0 ? { tools: left, tool_choice: how } : {};
    }
  }
  if (word !== 'required' || box.hosted.length === 0) dropped.push('tool_choice');
  return all;
}
