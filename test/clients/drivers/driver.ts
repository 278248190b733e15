/** What every client is made to do, each in its own way. */
import type { Scene } from '../script.ts';

/** Where the proxy is, and which model is asked. */
export interface At {
  readonly url: string;
  readonly model: string;
}

export interface Ask {
  readonly scene: Scene;
  readonly stream: boolean;
  readonly thinks?: boolean;
  readonly picture?: boolean;
}

export interface Answer {
  readonly text: string;
  readonly reasoning?: string | undefined;
  /** Whether the client takes it for a complete answer that ended of itself. */
  readonly finished: boolean;
  /** Tokens, as the client sums them up; cached ones are input. */
  readonly input: number;
  readonly output: number;
}

/** An error as the client's user sees it. */
export interface Raised {
  /** Whether it is of the type that the client documents for it. */
  readonly own: boolean;
  readonly status?: number | undefined;
  readonly message: string;
}

export interface Driver {
  readonly name: string;
  /** One answer. Rejects with the client's own error. */
  ask(at: At, ask: Ask): Promise<Answer>;
  /** An object by a schema. */
  object(at: At): Promise<unknown>;
  /** Runs tools until the model is done. @returns its last words */
  loop(at: At, ask: Omit<Ask, 'scene'>): Promise<string>;
  /** Breaks a stream off at its first words. */
  leave(at: At): Promise<void>;
  raised(error: unknown): Raised;
}

export const KEY = 'unused';

/** Turns of a loop that does not end of itself. */
export const MAX_TURNS = 6;

export function wordsOf(scene: Scene): string {
  return `Do as in scene: ${scene}`;
}

/** The tools, as JSON Schema. */
export const TOOLS = [
  { name: 'weather', description: 'The weather in a city.', field: 'city' },
  { name: 'clock', description: 'The time in a zone.', field: 'zone' },
].map(({ name, description, field }) => ({
  name,
  description,
  schema: {
    type: 'object' as const,
    properties: { [field]: { type: 'string' } },
    required: [field],
    additionalProperties: false,
  },
}));
