/** Where requests of each client's protocol say what a target may not take: what relayed and translated ones are changed by. */
import type { Ability } from './abilities.ts';
import type { JsonObject } from '../json.ts';
import { objectOf, stringOf } from '../json.ts';

/** The protocol that a request is in. Canonical ones are in chat's. */
export type Shape = 'chat' | 'messages' | 'responses' | 'gemini';

/** What a part of media needs. */
export type Medium = 'vision' | 'audio' | 'files';

export interface RequestShape {
  /** Fields that ask for it, by their places. */
  readonly fields: Readonly<Partial<Record<Ability, readonly string[]>>>;
  /** What a part needs, where it is one of media. */
  readonly medium: (part: JsonObject) => Medium | undefined;
  /** A part of text. */
  readonly text: (words: string) => JsonObject;
  /** The list of the conversation. */
  readonly conversation: string;
  /** Lists of parts within its members. */
  readonly parts: readonly string[];
  /** Where the effort of reasoning stands. */
  readonly efforts: readonly string[];
}

/** Parts of media by their types. */
function byType(media: Readonly<Record<string, Medium>>): RequestShape['medium'] {
  return ({ type }) => (typeof type === 'string' && Object.hasOwn(media, type) ? media[type] : undefined);
}

/** Gemini's name a medium by what it holds. */
function byMediaType(part: JsonObject): Medium | undefined {
  const held = part.inlineData ?? part.inline_data ?? part.fileData ?? part.file_data;
  const { mimeType, mime_type } = objectOf(held);
  const type = stringOf(mimeType) ?? stringOf(mime_type);
  if (held === undefined) return undefined;
  if (type === undefined || /^(?:image|video)\//.test(type)) return 'vision';
  return type.startsWith('audio/') ? 'audio' : 'files';
}

/** A place in both spellings that Google takes. */
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
