import type { Abilities } from '../facts/abilities.ts';

/** The thinking level of a model, from Gemini 3 on. */
export type ThinkingLevel = 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH';

/** The abilities of a model, as data. */
export interface GeminiModel {
  /** Whether it accepts full JSON Schema rather than a subset of OpenAPI's. */
  readonly jsonSchema: boolean;
  /** Whether it supports functions together with a JSON response format. */
  readonly jsonWithTools: boolean;
  /** Whether it supports `systemInstruction`. */
  readonly system: boolean;
  /** Whether it accepts presence and frequency penalties at Google AI. Vertex AI accepts them for more models. */
  readonly penalties: boolean;
  /** Whether it matches results to calls by id. Older models may reject the ids. */
  readonly pairsById: boolean;
  /** Whether it rejects calls without their signatures. */
  readonly signsCalls: boolean;
  /** Whether function results may contain media. */
  readonly mediaInResults: boolean;
  /** How thinking is controlled: not at all, by a number of tokens, or by these levels. */
  readonly thinking: 'none' | Budget | readonly ThinkingLevel[];
}

/** The thinking budget, tokens. */
export interface Budget {
  readonly min: number;
  readonly max: number;
  /** Whether thinking can be disabled. */
  readonly off: boolean;
}

const OLD: GeminiModel = {
  jsonSchema: false,
  jsonWithTools: false,
  system: true,
  penalties: true,
  pairsById: false,
  signsCalls: false,
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
  signsCalls: true,
  mediaInResults: true,
  thinking: ['LOW', 'MEDIUM', 'HIGH'],
};

export interface GeminiRow {
  readonly match: RegExp;
  readonly model: GeminiModel;
  readonly source: string;
}

const THINKING_PAGE = 'https://ai.google.dev/gemini-api/docs/thinking';
const MODELS_PAGE = 'https://ai.google.dev/gemini-api/docs/models';
/** The models that reject penalties. */
const PENALTIES = 'https://github.com/google-gemini/cookbook/issues/1290';
/** The models that support JSON together with functions. */
const JSON_TOOLS = 'https://github.com/googleapis/python-genai/issues/867';

/** The first match counts. A name without a match counts as new, as the aliases `gemini-*-latest` are. */
export const GEMINI_MODELS: readonly GeminiRow[] = [
  { match: /gemma-?[1-3]/, model: { ...OLD, system: false, penalties: false }, source: MODELS_PAGE },
  {
    match: /gemma/,
    model: { ...OLD, penalties: false, thinking: ['MINIMAL', 'HIGH'] },
    source: THINKING_PAGE,
  },
  { match: /gemini-(?:1[.-]|2\.0|pro$|pro-vision)/, model: OLD, source: JSON_TOOLS },
  {
    match: /gemini-2\.5-.*(?:image|tts|audio)/,
    model: { ...BUDGETED, thinking: 'none' },
    source: THINKING_PAGE,
  },
  {
    match: /gemini-2\.5-pro/,
    model: { ...BUDGETED, thinking: { min: 128, max: 32_768, off: false } },
    source: THINKING_PAGE,
  },
  {
    match: /gemini-2\.5-flash-lite/,
    model: { ...BUDGETED, thinking: { min: 512, max: 24_576, off: true } },
    source: THINKING_PAGE,
  },
  { match: /gemini-2\.5/, model: BUDGETED, source: PENALTIES },
  { match: /pro-image|tts|audio/, model: { ...NEW, thinking: 'none' }, source: THINKING_PAGE },
  { match: /image/, model: { ...NEW, thinking: ['MINIMAL', 'HIGH'] }, source: THINKING_PAGE },
  {
    match: /flash-lite|gemini-3(?:\.[1-6])?-flash/,
    model: { ...NEW, thinking: ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'] },
    source: THINKING_PAGE,
  },
  { match: /./, model: NEW, source: THINKING_PAGE },
];

/** @param abilities further facts, which take precedence */
export function geminiModel(name: string, abilities: Abilities = {}): GeminiModel {
  const known = GEMINI_MODELS.find(({ match }) => match.test(name))?.model ?? NEW;
  const { json_with_tools: jsonWithTools, system, media_in_results: media, reasoning } = abilities;
  const steered = known.thinking === 'none' ? BUDGETED.thinking : known.thinking;
  return {
    ...known,
    jsonWithTools: jsonWithTools ?? known.jsonWithTools,
    system: system ?? known.system,
    mediaInResults: media ?? known.mediaInResults,
    thinking: reasoning === undefined ? known.thinking : reasoning ? steered : 'none',
  };
}
