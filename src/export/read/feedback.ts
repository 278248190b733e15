/** Reads the log's lines of feedback, which are joined to the records that they are about. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, numberOf, stringOf } from '../../wire/json.ts';

export interface Feedback {
  /** Id of the request it is about. */
  readonly about: string;
  /** Name of the client key it was given with: only that caller's requests are meant. */
  readonly key: string | null;
  readonly score?: number;
  readonly label?: boolean;
  /** The answer that should have been given: text, or a message of the assistant. */
  readonly correction?: string | JsonObject;
}

/** The endpoint that feedback lines name in their head. */
export const FEEDBACK_ENDPOINT = 'feedback';

/** The feedback in a line, or `undefined` when there is none. */
export function feedbackOf({ key, feedback }: JsonObject): Feedback | undefined {
  if (!isObject(feedback)) return undefined;
  const about = stringOf(feedback.request_id);
  if (about === undefined) return undefined;
  const { label, correction } = feedback;
  const score = numberOf(feedback.score);
  return {
    about,
    key: stringOf(key) ?? null,
    ...(score === undefined ? {} : { score }),
    ...(typeof label === 'boolean' ? { label } : {}),
    ...(typeof correction === 'string' || isObject(correction) ? { correction } : {}),
  };
}
