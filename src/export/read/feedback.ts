/** Reads feedback lines of the log, which are joined to the records that they refer to. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, numberOf, stringOf } from '../../wire/json.ts';

export interface Feedback {
  /** The id of the request that it refers to. */
  readonly about: string;
  /** The name of the client key it was given with: it only applies to that caller's requests. */
  readonly key: string | null;
  readonly score?: number;
  readonly label?: boolean;
  /** The better answer: text, or an assistant message. */
  readonly correction?: string | JsonObject;
}

/** The endpoint in the head of feedback lines. */
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
