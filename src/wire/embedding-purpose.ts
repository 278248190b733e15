/** The purpose of embedded texts, which Google, Cohere and others name differently, and OpenAI has no field for. */
import type { JsonObject } from './json.ts';
import { entryOf, stringOf } from './json.ts';

/** Cohere's names for Google's task types. */
const INPUT_TYPES: Readonly<Record<string, string>> = {
  RETRIEVAL_QUERY: 'search_query',
  QUESTION_ANSWERING: 'search_query',
  CODE_RETRIEVAL_QUERY: 'search_query',
  RETRIEVAL_DOCUMENT: 'search_document',
  CLASSIFICATION: 'classification',
  CLUSTERING: 'clustering',
};

/** Google's names for Cohere's types, and for those of Voyage and NVIDIA. */
const TASKS: Readonly<Record<string, string>> = {
  search_query: 'RETRIEVAL_QUERY',
  search_document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  passage: 'RETRIEVAL_DOCUMENT',
};

/** Google's task type of a request with `task_type`, or with an `input_type` that corresponds to one. */
export function taskIn({ task_type: task, input_type: type }: JsonObject): string | undefined {
  return stringOf(task) ?? entryOf(TASKS, stringOf(type) ?? '');
}

/** Cohere's input type of a request; `undefined` if it names none that Cohere has. */
export function inputTypeIn(request: JsonObject): string | undefined {
  const { input_type: type } = request;
  const own = typeof type === 'string' && Object.values(INPUT_TYPES).includes(type) ? type : undefined;
  return own ?? entryOf(INPUT_TYPES, taskIn(request) ?? '');
}
