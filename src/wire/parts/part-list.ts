import type { ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Annotation, AudioPart, Part, Seal, TextPart } from './part.ts';
import { isObject, stringOf } from '../json.ts';

/** Parts come from outside and must not create arbitrarily long lists. */
const MAX_PARTS = 16_384;

/** Assembles content, in pieces or whole, to an ordered list of parts. */
export class PartList {
  readonly parts: Part[] = [];
  /** The length of the whole text so far, to which annotations refer, characters. */
  length = 0;

  text(piece: string, more: Pick<TextPart, 'cache_control'> = {}): void {
    if (piece === '') return;
    this.length += piece.length;
    const last = this.#last;
    const goesOn =
      last?.type === 'text' && more.cache_control === undefined && last.cache_control === undefined;
    if (goesOn) last.text += piece;
    else this.add({ type: 'text', text: piece, ...more });
  }

  /** Adds annotations to the last text, or to an empty one if there is none yet. */
  annotate(notes: readonly Annotation[]): void {
    if (notes.length === 0) return;
    const known = this.#text();
    for (const note of notes) (known.annotations ??= []).push(note);
  }

  /** Adds what must be sent back with the last text. */
  accompany(extra: unknown): void {
    this.#text().extra_content = extra;
  }

  thinking(piece: string): void {
    if (piece === '') return;
    const last = this.#last;
    if (last?.type === 'thinking' && last.seal === undefined) last.text += piece;
    else this.add({ type: 'thinking', text: piece.replace(BETWEEN, '') });
  }

  /** Seals the current thinking; redacted or hidden reasoning becomes a part of its own. */
  seal(seal: Seal): void {
    const last = this.#last;
    const holds = last?.type === 'thinking' && last.seal === undefined && seal.type !== 'redacted_thinking';
    if (holds) last.seal = seal;
    else this.add({ type: 'thinking', text: stringOf(seal.thinking) ?? '', seal });
  }

  refusal(piece: string): void {
    if (piece === '') return;
    const last = this.#last;
    if (last?.type === 'refusal') last.text += piece;
    else this.add({ type: 'refusal', text: piece });
  }

  call(call: ToolCall): void {
    this.add({ type: 'call', call });
  }

  /** Adds a piece of audio or of its transcript. */
  audio({ id, data, transcript, expires_at: until }: JsonObject): void {
    let part = this.parts.findLast((each) => each.type === 'audio');
    if (!part) this.add((part = { type: 'audio', data: '', transcript: '' } as AudioPart));
    if (typeof id === 'string') part.id ??= id;
    part.data += stringOf(data) ?? '';
    part.transcript += stringOf(transcript) ?? '';
    if (until !== undefined && until !== null) part.expires_at = until;
  }

  add(part: Part): void {
    if (this.parts.length < MAX_PARTS) this.parts.push(part);
    // Its place in the order is lost then, but not its content.
    else if (part.type === 'text') this.#text().text += part.text;
  }

  get #last(): Part | undefined {
    return this.parts.at(-1);
  }

  #text(): TextPart {
    const last = this.parts.findLast((part) => part.type === 'text');
    if (last) return last;
    const empty: TextPart = { type: 'text', text: '' };
    this.add(empty);
    return empty;
  }
}

/** The separator between two reasoning summaries. */
export const BETWEEN = /^\n\n/;

/** The complete parts in a delta. */
export function wholeParts(value: unknown): Part[] {
  return Array.isArray(value) ? value.filter((part): part is Part => isObject(part)) : [];
}
