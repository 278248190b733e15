import type { JsonObject } from '../../../wire/json.ts';
import type { StreamShape, TextSlot } from '../restore-events.ts';
import { listOf, numberOf, objectOf } from '../../../wire/json.ts';

export const GEMINI_STREAM: StreamShape = {
  slots: ({ candidates }) => listOf(candidates).flatMap((candidate) => slotsIn(objectOf(candidate))),
  ends({ candidates }, channel) {
    const candidate = listOf(candidates)
      .map(objectOf)
      .find((each) => channel.startsWith(`${indexOf(each)}/`));
    return (
      candidate !== undefined && (isOver(candidate) || partsOf(candidate).some((part) => part.text !== ''))
    );
  },
  bringing(like, { channel, holder, field }, text) {
    const { usageMetadata: _, ...rest } = like;
    const index = Number(channel.slice(0, channel.indexOf('/')));
    const thought = holder.thought === true ? { thought: true } : {};
    const part = field === 'text' ? { text, ...thought } : argumentPart(holder, text);
    return { ...rest, candidates: [{ index, content: { role: 'model', parts: [part] } }] };
  },
};

function slotsIn(candidate: JsonObject): TextSlot[] {
  const parts = partsOf(candidate);
  const index = indexOf(candidate);
  return parts.flatMap((part, at): TextSlot[] => {
    if (part.functionCall !== undefined) return argumentSlots(index, part);
    if (typeof part.text !== 'string' || part.text === '') return [];
    const next = parts[at + 1];
    // A part of another kind follows, or none at all.
    const closes = next ? channelOf(index, next) !== channelOf(index, part) : isOver(candidate);
    return [{ channel: channelOf(index, part), holder: part, field: 'text', form: 'text', closes }];
  });
}

/** The pieces of arguments that Vertex AI streams: each names the path of its text within the arguments. */
function argumentSlots(index: number, { functionCall }: JsonObject): TextSlot[] {
  return listOf(objectOf(functionCall).partialArgs)
    .map(objectOf)
    .flatMap((piece): TextSlot[] => {
      if (typeof piece.stringValue !== 'string') return [];
      const channel = `${index}/arguments/${String(piece.jsonPath)}`;
      const closes = piece.willContinue !== true;
      return [{ channel, holder: piece, field: 'stringValue', form: 'text', closes }];
    });
}

/** A piece of a call that goes on. */
function argumentPart({ jsonPath }: JsonObject, stringValue: string): JsonObject {
  const piece = { jsonPath, stringValue, willContinue: true };
  return { functionCall: { partialArgs: [piece], willContinue: true } };
}

function channelOf(index: number, { text, thought }: JsonObject): string {
  return `${index}/${typeof text !== 'string' ? 'other' : thought === true ? 'thought' : 'text'}`;
}

function partsOf({ content }: JsonObject): JsonObject[] {
  return listOf(objectOf(content).parts).map(objectOf);
}

function isOver({ finishReason }: JsonObject): boolean {
  return finishReason !== undefined && finishReason !== null;
}

function indexOf({ index }: JsonObject): number {
  return numberOf(index) ?? 0;
}
