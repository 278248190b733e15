/** The items of a response while they are written, and the events of their parts. */
import type { JsonObject } from '../json.ts';
import type { ToolOrigin } from './tools.ts';
import { JsonEnd } from '../json-end.ts';
import {
  callObject,
  messageItem,
  prefixOf,
  reasoningId,
  reasoningItem,
  textPart,
} from './client-response.ts';

export type Kind = 'reasoning' | 'message' | 'call';
export type PartType = 'text' | 'refusal' | 'summary';

/** A part in progress. */
export interface Part {
  readonly type: PartType;
  text: string;
  readonly annotations: JsonObject[];
  /** Its log probabilities, if they were requested. */
  readonly logprobs: JsonObject[];
}

/** A call in progress. */
export interface OpenCall {
  readonly index: number;
  readonly callId: string;
  readonly origin: ToolOrigin;
}

/** The item being written; only one at a time, as the protocol requires. */
export interface Open {
  readonly kind: Kind;
  readonly id: string;
  /** Its completed parts. */
  readonly parts: JsonObject[];
  part: Part | undefined;
  /** What must be sent back with reasoning. */
  block: JsonObject | undefined;
  readonly call: OpenCall | undefined;
  /** The arguments so far, and the detector of their end. */
  text: string;
  readonly json: JsonEnd;
}

/** The events of a part: added, deltas, text complete, part complete. */
export const PARTS = {
  text: {
    added: 'response.content_part.added',
    delta: 'response.output_text.delta',
    done: 'response.output_text.done',
    closed: 'response.content_part.done',
  },
  refusal: {
    added: 'response.content_part.added',
    delta: 'response.refusal.delta',
    done: 'response.refusal.done',
    closed: 'response.content_part.done',
  },
  summary: {
    added: 'response.reasoning_summary_part.added',
    delta: 'response.reasoning_summary_text.delta',
    done: 'response.reasoning_summary_text.done',
    closed: 'response.reasoning_summary_part.done',
  },
} as const;

export function openItem(kind: Kind, newId: () => string, call?: OpenCall): Open {
  const id = call ? `${prefixOf(call.origin)}_${newId()}` : idOf(kind, newId);
  return { kind, id, parts: [], part: undefined, block: undefined, call, text: '', json: new JsonEnd() };
}

function idOf(kind: Kind, newId: () => string): string {
  return kind === 'reasoning' ? reasoningId(newId) : `msg_${newId()}`;
}

/** A message that another model began, whose text continues. */
export function continuedMessage(id: string, text: string): Open {
  const open = openItem('message', () => '');
  return { ...open, id, part: { ...openPart('text'), text } };
}

export function openPart(type: PartType): Part {
  return { type, text: '', annotations: [], logprobs: [] };
}

export function partOf({ type, text, annotations, logprobs }: Part): JsonObject {
  if (type === 'text') return textPart(text, [...annotations], [...logprobs]);
  return type === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'summary_text', text };
}

export function itemOf({ kind, id, parts, block, call, text }: Open, status: string): JsonObject {
  if (kind === 'reasoning') return reasoningItem(id, [...parts], block);
  if (kind === 'message') return messageItem(id, [...parts], status);
  const whole = status === 'completed' && call!.origin.kind === 'function' ? text || '{}' : text;
  return callObject(call!.origin, id, call!.callId, whole, status);
}
