/** Counts what a client did not receive of an answer because its protocol cannot express it. */
export type LostKind =
  'image' | 'audio' | 'file' | 'citation' | 'hosted_tool' | 'reasoning_seal' | 'choice' | 'logprobs';

/** Counts what is left out of one answer, by kind. */
export class Lost {
  readonly #counts = new Map<LostKind, number>();

  add(kind: LostKind, count = 1): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  /** Counts something that arrives in many pieces once. */
  once(kind: LostKind): void {
    if (!this.#counts.has(kind)) this.#counts.set(kind, 1);
  }

  /** For example "citation", "image (2)"; empty if nothing was lost. */
  names(): string[] {
    return [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`));
  }
}

/** A comment at the end of a stream that names it: clients ignore comments. */
export function lostComment(lost: Lost): string {
  const names = lost.names();
  return names.length > 0 ? `: llmproxy-answer-dropped: ${names.join(', ')}\n\n` : '';
}
