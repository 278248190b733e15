/** An answer as the client returned it. */
export interface Got {
  readonly text: string;
  /** The model's reasoning, if the client shows it. */
  readonly reasoning?: string | undefined;
  /** Whether the client regards the answer as complete. */
  readonly finished: boolean;
  /** Token counts, if the client reports them. */
  readonly input?: number | undefined;
  readonly output?: number | undefined;
}

/** An error as the client's user sees it. */
export interface Raised {
  /** Whether it has the type that the client documents for API errors. */
  readonly own: boolean;
  readonly status?: number | undefined;
  readonly message: string;
}

/** A typical client program, based on a real SDK. */
export interface Driver {
  readonly name: string;
  plain(asked: Asking): Promise<Got>;
  /** Runs tools until the model makes no more calls. @returns the model's last message */
  loop(asked: Asking): Promise<string>;
  object(asked: Asking): Promise<unknown>;
  picture(asked: Asking): Promise<string>;
  /** Aborts a stream after its first words. */
  leaves(asked: Asking): Promise<void>;
  raised(error: unknown): Raised;
}

export interface Asking {
  /** The proxy's URL, without a path. */
  readonly url: string;
  readonly model: string;
  /** The user's message. */
  readonly words: string;
  readonly stream: boolean;
  /** Whether to request reasoning. */
  readonly thinks: boolean;
}

/** If a loop takes more turns than this, something is wrong. */
export const MAX_TURNS = 6;

export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const;

/** The tools by name, each with its single field. */
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
