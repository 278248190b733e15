/** Several answers to one request, asked one by one and told as the one answer of several choices that a client of chat wants. */
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { encodeOpenaiUsage } from '../usage.ts';

/** The whole answer that these make, each of which has one choice. @param usage of all together */
export function joinedAnswers(answers: readonly JsonObject[], usage: Usage | undefined): JsonObject {
  const choices = answers.flatMap(({ choices: own }, index) =>
    listOf(own)
      .slice(0, 1)
      .map((choice) => ({ ...objectOf(choice), index })),
  );
  return { ...answers[0], choices, ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}) };
}

/** Names the chunks of several streams as those of one. */
export class JoinedChunks {
  readonly #tellsUsage: boolean;
  #named: JsonObject | undefined;

  /** @param tellsUsage whether the client asked for it */
  constructor(tellsUsage: boolean) {
    this.#tellsUsage = tellsUsage;
  }

  /** A chunk of the stream that is this choice; `undefined` where it says nothing of that. */
  chunk(chunk: JsonObject, index: number): JsonObject | undefined {
    const { id, created, model } = chunk;
    const choices = listOf(chunk.choices).filter(isObject);
    if (choices.length === 0) return undefined;
    this.#named ??= { id, created, model };
    return { ...chunk, ...this.#named, choices: choices.map((choice) => ({ ...choice, index })) };
  }

  /** What all used, behind the last of them; `undefined` where nobody asked, or nobody knows. */
  usage(usage: Usage | undefined): JsonObject | undefined {
    if (!this.#tellsUsage || !usage) return undefined;
    return { ...this.#named, object: 'chat.completion.chunk', choices: [], usage: encodeOpenaiUsage(usage) };
  }
}
