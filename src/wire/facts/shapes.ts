/** Where requests of each client's protocol say what a target may not take: what relayed and translated ones are changed by. */
import type { Ability } from './abilities.ts';

/** The protocol that a request is in. Canonical ones are in chat's. */
export type Shape = 'chat' | 'messages' | 'responses';

export interface RequestShape {
  /** Fields that ask for it, by their places. */
  readonly fields: Readonly<Partial<Record<Ability, readonly string[]>>>;
  /** What parts of media need, by their types. */
  readonly media: Readonly<Record<string, 'vision' | 'audio' | 'files'>>;
  /** Type of a part of text. */
  readonly text: string;
  /** The list of the conversation. */
  readonly conversation: string;
  /** Lists of parts within its members. */
  readonly parts: readonly string[];
  /** Where the effort of reasoning stands. */
  readonly efforts: readonly string[];
}

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
    media: {
      image_url: 'vision',
      video_url: 'vision',
      input_audio: 'audio',
      audio_url: 'audio',
      file: 'files',
      document_url: 'files',
      file_url: 'files',
    },
    text: 'text',
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
    media: { image: 'vision', document: 'files' },
    text: 'text',
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
    media: { input_image: 'vision', input_audio: 'audio', input_file: 'files' },
    text: 'input_text',
    conversation: 'input',
    parts: ['content', 'output'],
    efforts: ['reasoning.effort'],
  },
};
