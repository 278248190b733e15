import type { ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Annotation, AudioPart, Part, Seal, TextPart } from './part.ts';
import { isObject, stringOf } from '../json.ts';

/** Parts come from outside and must not make lists as long as they like. */
const MAX_PARTS = 16_384;

/** Puts together what is said, in pieces or whole, as an ordered list of parts. */
export class PartList {
  readonly parts: Part[] = [];
  /** Characters of all text so far, from which the places of annotations count. */
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

  /** Annotations of the last text: where none was said yet, of an empty one. */
  annotate(notes: readonly Annotation[]): void {
    if (notes.length === 0) return;
    const known = this.#text();
    for (const note of notes) (known.annotations ??= []).push(note);
  }

  /** What must be given back with the last text. */
  accompany(extra: unknown): void {
    this.#text().extra_content = extra;
  }

  thinking(piece: string): void {
    if (piece === '') return;
    const last = this.#last;
    if (last?.type === 'thinking' && last.seal === undefined) last.text += piece;
    else this.add({ type: 'thinking', text: piece.replace(BETWEEN, '') });
  }

  /** Seals the thinking in progress; what was redacted stands alone, and so does what nobody has shown. */
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

  /** A piece of sound, or of what is said in it. */
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
    // Its place is lost then, and not what was said.
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

/** What stands between two summaries of reasoning. */
export const BETWEEN = /^\n\n/;

/** The whole parts that a delta brings. */
export function wholeParts(value: unknown): Part[] {
  return Array.isArray(value) ? value.filter((part): part is Part => isObject(part)) : [];
}
