/** Answers that are not compared, by kind: recognized from the recording itself, never from its location. */
import type { Api, Recorded } from '../read/exchange.ts';
import { textOf } from '../read/exchange.ts';
import { isObject, objectOf, objectsOf, parseJson } from '../read/json.ts';
import { eventsOf, isStream } from './read.ts';

/** The statuses of a response in OpenAI's document. */
const STATUSES = new Set(['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete']);

/** Why an answer is not compared; `undefined` if it is. */
export function unmeasured(recorded: Recorded, api: Api): string | undefined {
  if (recorded.body.length === 0) return 'the body was not recorded';
  if (isStream(recorded)) {
    if (api === 'gemini' && eventsOf(recorded.body, api).some(hasPieces))
      return 'arguments in pieces, which are never asked for';
    return undefined;
  }
  const text = textOf(recorded.body);
  if (text.slice(0, 20).includes('\ufffd')) return 'the body was recorded in an unreadable encoding';
  const value = parseJson(text);
  if (Array.isArray(value) && api === 'gemini') return 'a stream as one JSON list, which is never asked for';
  if (!isObject(value)) return undefined;
  if (api !== 'responses') return undefined;
  if (value.status === 'queued' || value.status === 'in_progress') return 'asked in the background';
  if (value.status !== undefined && !STATUSES.has(String(value.status)))
    return 'made by hand with a status that does not exist';
  return undefined;
}

function hasPieces(chunk: object): boolean {
  return objectsOf(objectOf(chunk).candidates).some((candidate) =>
    objectsOf(objectOf(candidate.content).parts).some(({ functionCall: call }) =>
      ['partialArgs', 'willContinue'].some((name) => name in objectOf(call)),
    ),
  );
}
