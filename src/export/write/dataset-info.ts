import type { JsonObject } from '../../wire/json.ts';

/** LLaMA-Factory requires all of these: a missing one makes the load fail. */
const OPENAI_TAGS = {
  role_tag: 'role',
  content_tag: 'content',
  user_tag: 'user',
  assistant_tag: 'assistant',
  observation_tag: 'tool',
  function_tag: 'function_call',
  system_tag: 'system',
};

const ENTRIES: Readonly<Record<'sharegpt' | 'alpaca' | 'openai', JsonObject>> = {
  sharegpt: { formatting: 'sharegpt', columns: { messages: 'conversations', tools: 'tools' } },
  alpaca: {
    formatting: 'alpaca',
    columns: {
      prompt: 'instruction',
      query: 'input',
      response: 'output',
      system: 'system',
      history: 'history',
    },
  },
  openai: { formatting: 'openai', columns: { messages: 'messages', tools: 'tools' }, tags: OPENAI_TAGS },
};

/**
 * LLaMA-Factory's dataset_info.json, which it needs to load a file: `dataset: llmproxy` refers to the entry. For rows
 * in OpenAI's format it encodes textual arguments a second time (`--tool-args object` avoids that).
 * @param file the path relative to dataset_info.json
 * @see https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
 */
export function datasetInfo(format: 'sharegpt' | 'alpaca' | 'openai', file: string): JsonObject {
  return { llmproxy: { file_name: file, ...ENTRIES[format] } };
}
