/** What a client got of an answer. */
export interface Got {
  readonly text: string;
  /** What the model thought, where the client shows it. */
  readonly reasoning?: string | undefined;
  /** Whether the client takes the answer for one that ended of itself. */
  readonly finished: boolean;
  /** Tokens, where the client tells them. */
  readonly input?: number | undefined;
  readonly output?: number | undefined;
}

/** An error as the client's user meets it. */
export interface Raised {
  /** Whether it is of the type that the client documents for errors of the API. */
  readonly own: boolean;
  readonly status?: number | undefined;
  readonly message: string;
}

/** A client program of the kind that people write, on a real SDK. */
export interface Driver {
  readonly name: string;
  plain(asked: Asking): Promise<Got>;
  /** Runs tools until the model has no more calls. @returns its last words */
  loop(asked: Asking): Promise<string>;
  object(asked: Asking): Promise<unknown>;
  picture(asked: Asking): Promise<string>;
  /** Leaves a stream after its first words. */
  leaves(asked: Asking): Promise<void>;
  raised(error: unknown): Raised;
}

export interface Asking {
  /** Of the proxy, without a path. */
  readonly url: string;
  readonly model: string;
  /** The user's words. */
  readonly words: string;
  readonly stream: boolean;
  /** Asks the model to think first. */
  readonly thinks: boolean;
}

/** Turns after which a loop has gone wrong. */
export const MAX_TURNS = 6;

export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const;

/** The tools by name, each with its one field. */
export const TOOLS: Readonly<Record<'weather' | 'clock', { field: string; description: string }>> = {
  weather: { field: 'city', description: 'The weather of a city' },
  clock: { field: 'zone', description: 'The time of a zone' },
};

export function parametersOf(field: string) {
  return {
    type: 'object' as const,
    properties: { [field]: { type: 'string' } },
    required: [field],
    additionalProperties: false,
  };
}
