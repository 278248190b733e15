/** What a client got of an answer. */
export interface Got {
  readonly text: string;
  /** Tokens, where the client tells them. */
  readonly input?: number | undefined;
  readonly output?: number | undefined;
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
}

export interface Asking {
  /** Of the proxy, without a path. */
  readonly url: string;
  readonly model: string;
  /** The user's words. */
  readonly words: string;
  readonly stream: boolean;
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
