/** How much a model thinks, from Gemini 3 on. */
export type ThinkingLevel = 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH';

/** What a model takes of the API, as data. */
export interface GeminiModel {
  /** Whether it takes JSON Schema as it is, and not only a subset of OpenAPI's. */
  readonly jsonSchema: boolean;
  /** Whether it takes functions and JSON as the form of the answer in one request. */
  readonly jsonWithTools: boolean;
  /** Whether it takes `systemInstruction`. */
  readonly system: boolean;
  /** Whether it takes presence and frequency penalties at Google AI. Vertex AI does for more models. */
  readonly penalties: boolean;
  /**
   * Whether it pairs results with calls by id, and refuses calls without their signatures. Older models may refuse
   * the ids.
   */
  readonly pairsById: boolean;
  /** Whether results of functions hold media. */
  readonly mediaInResults: boolean;
  /** How thinking is steered: not at all, by a number of tokens, or by levels, of which these are known. */
  readonly thinking: 'none' | Budget | readonly ThinkingLevel[];
}

/** Tokens to think with. */
export interface Budget {
  readonly min: number;
  readonly max: number;
  /** Whether it can be told not to think. */
  readonly off: boolean;
}

const OLD: GeminiModel = {
  jsonSchema: false,
  jsonWithTools: false,
  system: true,
  penalties: true,
  pairsById: false,
  mediaInResults: false,
  thinking: 'none',
};
const BUDGETED: GeminiModel = {
  ...OLD,
  jsonSchema: true,
  penalties: false,
  thinking: { min: 0, max: 24_576, off: true },
};
const NEW: GeminiModel = {
  ...BUDGETED,
  jsonWithTools: true,
  pairsById: true,
  mediaInResults: true,
  thinking: ['LOW', 'MEDIUM', 'HIGH'],
};

/**
 * The first match counts. What matches nothing is taken for new, as the aliases `gemini-*-latest` are.
 * @see https://ai.google.dev/gemini-api/docs/thinking
 * @see https://github.com/google-gemini/cookbook/issues/1290 for penalties
 * @see https://github.com/googleapis/python-genai/issues/867 for JSON with functions
 */
const MODELS: readonly (readonly [RegExp, GeminiModel])[] = [
  [/gemma-?[1-3]/, { ...OLD, system: false, penalties: false }],
  [/gemma/, { ...OLD, penalties: false, thinking: ['MINIMAL', 'HIGH'] }],
  [/gemini-(?:1[.-]|2\.0|pro$|pro-vision)/, OLD],
  [/gemini-2\.5-.*(?:image|tts|audio)/, { ...BUDGETED, thinking: 'none' }],
  [/gemini-2\.5-pro/, { ...BUDGETED, thinking: { min: 128, max: 32_768, off: false } }],
  [/gemini-2\.5-flash-lite/, { ...BUDGETED, thinking: { min: 512, max: 24_576, off: true } }],
  [/gemini-2\.5/, BUDGETED],
  [/pro-image|tts|audio/, { ...NEW, thinking: 'none' }],
  [/image/, { ...NEW, thinking: ['MINIMAL', 'HIGH'] }],
  [/flash-lite|gemini-3(?:\.[1-6])?-flash/, { ...NEW, thinking: ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'] }],
];

export function geminiModel(name: string): GeminiModel {
  return MODELS.find(([pattern]) => pattern.test(name))?.[1] ?? NEW;
}
