/**
 * Combines several answers, requested one by one, to the single answer with several choices that a chat client
 * requested.
 */
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { encodeOpenaiUsage } from '../usage.ts';

/** The combined answer; each of the answers has one choice. @param usage of all together */
export function joinedAnswers(answers: readonly JsonObject[], usage: Usage | undefined): JsonObject {
  const choices = answers.flatMap(({ choices: own }, index) =>
    listOf(own)
      .slice(0, 1)
      .map((choice) => ({ ...objectOf(choice), index })),
  );
  return { ...answers[0], choices, ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}) };
}

/** Gives the chunks of several streams a common id. */
export class JoinedChunks {
  readonly #reportsUsage: boolean;
  #named: JsonObject | undefined;

  /** @param reportsUsage whether the client requested the usage */
  constructor(reportsUsage: boolean) {
    this.#reportsUsage = reportsUsage;
  }

  /** A chunk of the stream with this choice; `undefined` if it has nothing for the client. */
  chunk(chunk: JsonObject, index: number): JsonObject | undefined {
    const { id, created, model } = chunk;
    const choices = listOf(chunk.choices).filter(isObject);
    if (choices.length === 0) return undefined;
    this.#named ??= { id, created, model };
    return { ...chunk, ...this.#named, choices: choices.map((choice) => ({ ...choice, index })) };
  }

  /** The total usage, after the last of them; `undefined` if it was not requested, or is unknown. */
  usage(usage: Usage | undefined): JsonObject | undefined {
    if (!this.#reportsUsage || !usage) return undefined;
    return { ...this.#named, object: 'chat.completion.chunk', choices: [], usage: encodeOpenaiUsage(usage) };
  }
}
