import type { JsonObject } from '../../wire/json.ts';

/** Without any of these LLaMA-Factory knows none at all: one that is left out is no role to it, and the load fails. */
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
 * LLaMA-Factory's dataset_info.json, without which it does not load a file: `dataset: llmproxy` names the entry. Of
 * rows in OpenAI's format it writes arguments that are text as text within text (`--tool-args object` mends that).
 * @param file its name, from the folder that dataset_info.json is in
 * @see https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
 */
export function datasetInfo(format: 'sharegpt' | 'alpaca' | 'openai', file: string): JsonObject {
  return { llmproxy: { file_name: file, ...ENTRIES[format] } };
}
