/**
 * Where requests of each client protocol have what a target may not support: used for relayed and translated ones
 * alike.
 */
import type { Ability } from './abilities.ts';
import type { JsonObject } from '../json.ts';
import { objectOf, stringOf } from '../json.ts';

/** The protocol of the request. Canonical requests have that of chat. */
export type Shape = 'chat' | 'messages' | 'responses' | 'gemini';

/** The ability that a media part needs. */
export type Medium = 'vision' | 'audio' | 'files';

export interface RequestShape {
  /** The fields that need an ability, by path. */
  readonly fields: Readonly<Partial<Record<Ability, readonly string[]>>>;
  /** The ability that a part needs, if it is a media part. */
  readonly medium: (part: JsonObject) => Medium | undefined;
  /** Creates a text part. */
  readonly text: (words: string) => JsonObject;
  /** The list of messages. */
  readonly conversation: string;
  /** The lists of parts within messages. */
  readonly parts: readonly string[];
  /** The path of the reasoning effort. */
  readonly efforts: readonly string[];
}

/** Media parts by type. */
function byType(media: Readonly<Record<string, Medium>>): RequestShape['medium'] {
  return ({ type }) => (typeof type === 'string' && Object.hasOwn(media, type) ? media[type] : undefined);
}

/** Gemini's parts name a medium by its key. */
function byMediaType(part: JsonObject): Medium | undefined {
  const held = part.inlineData ?? part.inline_data ?? part.fileData ?? part.file_data;
  const { mimeType, mime_type } = objectOf(held);
  const type = stringOf(mimeType) ?? stringOf(mime_type);
  if (held === undefined) return undefined;
  if (type === undefined || /^(?:image|video)\//.test(type)) return 'vision';
  return type.startsWith('audio/') ? 'audio' : 'files';
}

/** A path in both spellings that Google accepts. */
function spelled(...places: readonly string[]): string[] {
  return places.flatMap((place) => {
    const steps = place.split('.').map((name) => {
      const other = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return other === name ? [name] : [name, other];
    });
    return steps.reduce((made, names) => made.flatMap((before) => names.map((name) => `${before}.${name}`)));
  });
}

const OF = 'generationConfig';

export const SHAPES: Readonly<Record<Shape, RequestShape>> = {
  chat: {
    fields: {
      tools: ['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
      parallel_tools: ['parallel_tool_calls'],
      hosted_tools: ['hosted_tools', 'web_search_options'],
      reasoning: ['reasoning_effort', 'reasoning', 'thinking', 'output_config'],
      sampling: ['temperature', 'top_p', 'top_k', 'min_p'],
      penalties: ['presence_penalty', 'frequency_penalty', 'repetition_penalty', 'logit_bias'],
      logprobs: ['logprobs', 'top_logprobs'],
      several_answers: ['n'],
      stop: ['stop'],
    },
    medium: byType({
      image_url: 'vision',
      video_url: 'vision',
      input_audio: 'audio',
      audio_url: 'audio',
      file: 'files',
      document_url: 'files',
      file_url: 'files',
    }),
    text: (text) => ({ type: 'text', text }),
    conversation: 'messages',
    parts: ['content'],
    efforts: ['reasoning_effort', 'reasoning.effort'],
  },
  messages: {
    fields: {
      tools: ['tools', 'tool_choice'],
      parallel_tools: ['tool_choice.disable_parallel_tool_use'],
      reasoning: ['thinking', 'output_config.effort'],
      sampling: ['temperature', 'top_p', 'top_k'],
      stop: ['stop_sequences'],
    },
    medium: byType({ image: 'vision', document: 'files' }),
    text: (text) => ({ type: 'text', text }),
    conversation: 'messages',
    parts: ['content'],
    efforts: ['output_config.effort'],
  },
  responses: {
    fields: {
      tools: ['tools', 'tool_choice', 'parallel_tool_calls', 'max_tool_calls'],
      parallel_tools: ['parallel_tool_calls'],
      reasoning: ['reasoning'],
      sampling: ['temperature', 'top_p'],
      logprobs: ['top_logprobs'],
    },
    medium: byType({ input_image: 'vision', input_audio: 'audio', input_file: 'files' }),
    text: (text) => ({ type: 'input_text', text }),
    conversation: 'input',
    parts: ['content', 'output'],
    efforts: ['reasoning.effort'],
  },
  gemini: {
    fields: {
      tools: spelled('tools', 'toolConfig'),
      reasoning: spelled(`${OF}.thinkingConfig`),
      sampling: spelled(`${OF}.temperature`, `${OF}.topP`, `${OF}.topK`),
      penalties: spelled(`${OF}.presencePenalty`, `${OF}.frequencyPenalty`),
      logprobs: spelled(`${OF}.responseLogprobs`, `${OF}.logprobs`),
      several_answers: spelled(`${OF}.candidateCount`),
      stop: spelled(`${OF}.stopSequences`),
    },
    medium: byMediaType,
    text: (text) => ({ text }),
    conversation: 'contents',
    parts: ['parts'],
    efforts: [],
  },
};
