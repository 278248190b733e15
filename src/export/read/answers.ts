import { isObject, numberOf, objectOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';

/** The fields of a response that contain its answers and their finish reasons, by endpoint. */
const ANSWERS: ReadonlyMap<unknown, readonly [list: string, finish: string]> = new Map([
  ['chat', ['choices', 'finish_reason']],
  ['completions', ['choices', 'finish_reason']],
  ['gemini', ['candidates', 'finishReason']],
]);

/**
 * A record for each answer, if several were requested (`n`): all are answers to the same prompt. The first keeps the id
 * of the request, which feedback refers to. Their common token count is divided.
 * @returns the record itself if it has one answer or none
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
    // The outcome of the record is that of the first answer.
    ...(number === 0 || typeof answer[ending!] !== 'string' ? {} : { finish: answer[ending!] }),
    response: { ...response, [list]: [answer] },
  }));
}
