import type { JsonObject } from '../json.ts';
import type { PartList } from '../parts/part-list.ts';
import type { Seal } from '../parts/part.ts';
import { isObject, listOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { decodeCitations } from './citations.ts';
import { decodeOther } from './hosted.ts';

interface Naming {
  /** The tool whose call stands for structured output, which is text for the client. */
  readonly structuredTool: string | undefined;
  readonly newId: () => string;
}

/** Decodes the blocks of an answer in order. */
export function readBlocks(content: unknown, list: PartList, naming: Naming): void {
  for (const block of listOf(content)) if (isObject(block)) readBlock(block, list, naming);
}

function readBlock(block: JsonObject, list: PartList, { structuredTool, newId }: Naming): void {
  switch (block.type) {
    case 'text': {
      const before = list.length;
      list.text(stringOf(block.text) ?? '');
      return list.annotate(decodeCitations(block.citations, before, list.length));
    }
    case 'thinking':
    case 'redacted_thinking':
      return list.add({ type: 'thinking', text: stringOf(block.thinking) ?? '', ...sealOf(block) });
    case 'tool_use': {
      const json = jsonTextOf(block.input ?? {});
      if (block.name === structuredTool) return list.text(json);
      const id = stringOf(block.id) || `toolu_${newId()}`;
      return list.call({
        id,
        type: 'function',
        function: { name: stringOf(block.name) ?? '', arguments: json },
      });
    }
    default:
      for (const part of decodeOther(block)) list.add(part);
  }
}

/** A block that can be sent back: without a signature it is rejected. */
export function sealOf(block: JsonObject): { seal?: Seal } {
  const sealed = block.type === 'redacted_thinking' || stringOf(block.signature);
  return sealed ? { seal: block as Seal } : {};
}

/** Why an answer was refused, in words; empty if it was not, or no reason is given. */
export function refusalIn({ stop_reason, stop_details }: JsonObject): string {
  if (stop_reason !== 'refusal' || !isObject(stop_details)) return '';
  return stringOf(stop_details.explanation) ?? '';
}
