/**
 * Reasoning in the format of OpenRouter and others: a list of details that must be sent back unchanged, streamed in
 * pieces.
 * @see https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
 */
import type { JsonObject } from '../json.ts';
import type { Seal } from '../parts/part.ts';
import { listOf, stringOf } from '../json.ts';

/** Details come from outside and must not create arbitrarily long lists. */
const MAX_DETAILS = 1_024;

/** Fields of a detail that are concatenated. */
const GROWING = ['text', 'summary'] as const;

/** The details in a seal. */
export function detailsIn(seal: JsonObject): JsonObject[] {
  return seal.type === 'details' ? (listOf(seal.details) as JsonObject[]) : [];
}

/** Details as a seal; none if there are no details. */
export function sealOf(details: readonly JsonObject[]): Seal[] {
  return details.length > 0 ? [{ type: 'details', details: [...details] }] : [];
}

/** The visible reasoning in the details. */
export function detailsText(details: readonly JsonObject[]): string {
  return details.map(({ text, summary }) => stringOf(text) ?? stringOf(summary) ?? '').join('');
}

/** Adds pieces to their details. */
export function growDetails(details: JsonObject[], pieces: readonly JsonObject[]): void {
  for (const piece of pieces) {
    const last = details.at(-1);
    const goesOn = last && last.type === piece.type && last.index === piece.index && isOpen(last, piece);
    if (!goesOn) {
      if (details.length < MAX_DETAILS) details.push({ ...piece });
      continue;
    }
    for (const [name, value] of Object.entries(piece)) {
      const grows = GROWING.some((field) => field === name) && typeof value === 'string';
      if (grows) last[name] = (stringOf(last[name]) ?? '') + value;
      else if (value !== null && value !== undefined) last[name] = value;
    }
  }
}

/** Whether a piece can belong to the same detail: encrypted details are sent whole. */
function isOpen(detail: JsonObject, { data }: JsonObject): boolean {
  return data === undefined && detail.data === undefined;
}
