import type { AnswerKind } from '../../wire/shapes/answers.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ProxyError } from '../../errors.ts';
import { answerFlaw } from '../../wire/shapes/answers.ts';

/** Throws when a body of status 200 is not a valid answer of its kind: it is neither parsed nor passed on. */
export function checkAnswer(kind: AnswerKind | Endpoint, body: JsonObject, target: string): void {
  const flaw = answerFlaw(kind, body);
  if (flaw === undefined) return;
  throw new ProxyError('malformed', `Cannot use the answer of ${target}: ${flaw}`, { target });
}
