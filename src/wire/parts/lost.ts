/** What of an answer its client could not be told, because its protocol has no word for it. */
export type LostKind =
  'image' | 'audio' | 'file' | 'citation' | 'hosted_tool' | 'reasoning_seal' | 'choice' | 'logprobs';

/** Counts what is left out of one answer, by its kind. */
export class Lost {
  readonly #counts = new Map<LostKind, number>();

  add(kind: LostKind, count = 1): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  /** The same thing in many pieces. */
  once(kind: LostKind): void {
    if (!this.#counts.has(kind)) this.#counts.set(kind, 1);
  }

  /** Such as "citation", "image (2)"; empty where nothing was lost. */
  names(): string[] {
    return [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${kind} (${count})`));
  }
}

/** What a stream says of it, in a comment behind the answer: clients pass over comments. */
export function lostComment(lost: Lost): string {
  const names = lost.names();
  return names.length > 0 ? `: llmproxy-answer-dropped: ${names.join(', ')}\n\n` : '';
}
