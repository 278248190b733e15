import type { JsonObject } from '../json.ts';
import type { PartList } from '../parts/part-list.ts';
import type { HostedResultPart, Seal, Source } from '../parts/part.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { decodeCitations } from './citations.ts';

interface Naming {
  /** The tool whose call stands for structured output, which is text for the client. */
  readonly structuredTool: string | undefined;
  readonly newId: () => string;
}

/** Decodes the blocks of an answer in order. @returns whether the structured tool was called */
export function readBlocks(content: unknown, list: PartList, naming: Naming): boolean {
  let structured = false;
  const names = new Map<string, string>();
  for (const block of listOf(content).filter(isObject))
    structured = readBlock(block, list, names, naming) || structured;
  return structured;
}

function readBlock(
  block: JsonObject,
  list: PartList,
  names: Map<string, string>,
  { structuredTool, newId }: Naming,
): boolean {
  const { text, citationsContent, reasoningContent, toolUse, toolResult, image } = block;
  if (typeof text === 'string') list.text(text);
  if (isObject(citationsContent)) {
    const before = list.length;
    for (const part of listOf(citationsContent.content)) list.text(stringOf(objectOf(part).text) ?? '');
    list.annotate(decodeCitations(citationsContent.citations, before, list.length));
  }
  if (isObject(reasoningContent)) {
    const seal = thinkingSeal(reasoningContent);
    const words = stringOf(objectOf(reasoningContent.reasoningText).text) ?? '';
    list.add({ type: 'thinking', text: words, ...(seal ? { seal } : {}) });
  }
  if (isObject(image)) list.add(imageOf(image));
  if (isObject(toolResult)) list.add(hostedResult(toolResult, names));
  if (!isObject(toolUse)) return false;
  const name = stringOf(toolUse.name) ?? '';
  const json = jsonTextOf(toolUse.input ?? {});
  if (runsItself(toolUse)) {
    const id = stringOf(toolUse.toolUseId) ?? '';
    names.set(id, hostedName(name));
    list.add({ type: 'hosted_call', id, name: hostedName(name), input: json });
  } else if (structuredTool !== undefined && name === structuredTool) {
    list.text(json);
    return true;
  } else {
    const id = stringOf(toolUse.toolUseId) || `call_${newId()}`;
    list.call({ id, type: 'function', function: { name, arguments: json } });
  }
  return false;
}

/**
 * A signed or redacted block of reasoning in the form in which it must be sent back; `undefined` without a signature.
 */
export function thinkingSeal(reasoningContent: JsonObject): Seal | undefined {
  const { reasoningText, redactedContent } = reasoningContent;
  if (stringOf(redactedContent)) return { type: 'redacted_thinking', data: redactedContent };
  const { text, signature } = objectOf(reasoningText);
  return stringOf(signature) ? { type: 'thinking', thinking: stringOf(text) ?? '', signature } : undefined;
}

/** Whether a tool is one of the provider's own, which it has run itself. */
export function runsItself(toolUse: JsonObject): boolean {
  return stringOf(toolUse.type)?.startsWith('server_') ?? false;
}

/** The names of Nova's tools in other APIs. */
const NAMES: Readonly<Record<string, string>> = {
  nova_grounding: 'web_search',
  nova_code_interpreter: 'code_execution',
};

export function hostedName(name: string): string {
  return Object.hasOwn(NAMES, name) ? NAMES[name]! : name;
}

/** The result of such a tool. @param names of the calls, by id */
export function hostedResult(
  { toolUseId, content }: JsonObject,
  names: ReadonlyMap<string, string>,
): HostedResultPart {
  const id = stringOf(toolUseId) ?? '';
  const output = listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
  const name = names.get(id) ?? 'web_search';
  return {
    type: 'hosted_result',
    id,
    name,
    sources: sourcesIn(content),
    ...(output === '' ? {} : { output }),
  };
}

function sourcesIn(content: unknown): Source[] {
  return listOf(content).flatMap((part) => {
    const { url, title } = objectOf(objectOf(part).json);
    return typeof url === 'string' ? [{ url, title: stringOf(title) ?? '' }] : [];
  });
}

/** An image that the model generated. */
export function imageOf({ format, source }: JsonObject): { type: 'image'; url: string } {
  const bytes = stringOf(objectOf(source).bytes) ?? '';
  return { type: 'image', url: `data:image/${stringOf(format) ?? 'png'};base64,${bytes}` };
}
