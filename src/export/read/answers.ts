import { isObject, numberOf, objectOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';

/** The fields of a response that list its answers and say how each ended, by endpoint. */
const ANSWERS: ReadonlyMap<unknown, readonly [list: string, finish: string]> = new Map([
  ['chat', ['choices', 'finish_reason']],
  ['completions', ['choices', 'finish_reason']],
  ['gemini', ['candidates', 'finishReason']],
]);

/**
 * A record for each answer, where several were asked for at once (`n`): all are answers to one prompt. The first keeps the
 * id of the request, which feedback is about. Tokens that all of them took are divided.
 * @returns the record alone where it has one answer or none
 */
export function answersOf(record: JsonObject): readonly JsonObject[] {
  const [list, ending] = ANSWERS.get(record.endpoint) ?? [];
  const response = objectOf(record.response);
  const given = list === undefined ? undefined : response[list];
  if (list === undefined || !Array.isArray(given) || given.length < 2) return [record];
  const answers = given.filter(isObject).toSorted((a, b) => Number(b.index === 0) - Number(a.index === 0));
  if (answers.length === 0) return [record];
  const output = numberOf(record.output_tokens);
  const tokens = output === undefined ? {} : { output_tokens: Math.round(output / answers.length) };
  return answers.map((answer, number) => ({
    ...record,
    ...tokens,
    ...(number === 0 ? {} : { id: null }),
    // How the record ended is what was said of the first.
    ...(number === 0 || typeof answer[ending!] !== 'string' ? {} : { finish: answer[ending!] }),
    response: { ...response, [list]: [answer] },
  }));
}
