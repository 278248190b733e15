/** Checks rows by the rules of TRL's trainers. */
import { isObject, listOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { RowCheck } from './chat-check.ts';
import type { Problems } from './problems.ts';
import { TEMPLATE_FUNCTIONS } from './function-rules.ts';
import { talkProblems, toolsProblems } from './chat-check.ts';
import { textProblems } from './problems.ts';

/** The rules of the chat templates included in TRL. Columns that TRL does not know are ignored. */
export const TEMPLATE_CHECK: RowCheck = {
  rules: { arguments: 'object', reasoningField: true },
  systemFirst: true,
  asksQuestion: true,
  textTools: true,
  functionRules: TEMPLATE_FUNCTIONS,
};

/** The columns by which TRL recognises the kind of a row. */
const KINDS = ['messages', 'prompt', 'completion', 'chosen', 'rejected', 'label'];

/** A row with the columns of two kinds is recognised as neither, and fails. */
export function kindProblems(row: JsonObject, own: readonly string[]): Problems {
  return KINDS.filter((key) => key in row && !own.includes(key)).map(
    (key) => `${key}: belongs to another kind of row, which TRL rejects beside ${own[0]!}`,
  );
}

/** Problems of a prompt and a completion; both are texts, or both are messages. */
export function completionProblems(row: JsonObject, own: readonly string[]): Problems {
  return [...kindProblems(row, own), ...sidesProblems(row, ['completion']), ...toolsOf(row)];
}

/** Problems of two answers to one prompt, which may be repeated in both rather than separate. */
export function preferenceProblems(row: JsonObject): Problems {
  const { chosen, rejected } = row;
  return [
    ...kindProblems(row, ['prompt', 'chosen', 'rejected']),
    ...('prompt' in row ? sidesProblems(row, ['chosen', 'rejected']) : implicitProblems(row)),
    ...(JSON.stringify(chosen) === JSON.stringify(rejected) ? ['rejected: is the same as chosen'] : []),
    ...toolsOf(row),
  ];
}

function toolsOf(row: JsonObject): Problems {
  return toolsProblems(row, '', TEMPLATE_CHECK);
}

function sidesProblems(row: JsonObject, sides: readonly string[]): Problems {
  const { prompt } = row;
  if (typeof prompt === 'string')
    return ['prompt', ...sides].flatMap((column) => textProblems(row[column], column));
  const problems = talkProblems(prompt, 'prompt', TEMPLATE_CHECK);
  const last = roleOfLast(prompt);
  // TRL fails if the last message is a system message; after an assistant message the prompt is no longer a prefix of
  // the whole.
  if (last === 'system' || last === 'assistant')
    problems.push(`prompt: must end with the user or a tool, not with the ${last}`);
  return [...problems, ...sides.flatMap((side) => sideProblems(row[side], side))];
}

function sideProblems(side: unknown, path: string): Problems {
  const problems = talkProblems(side, path, TEMPLATE_CHECK);
  const last = roleOfLast(side);
  return last === 'assistant' || last === undefined
    ? problems
    : [...problems, `${path}: the last message must be the assistant's`];
}

function implicitProblems({ chosen, rejected }: JsonObject): Problems {
  if (typeof chosen === 'string')
    return [...textProblems(chosen, 'chosen'), ...textProblems(rejected, 'rejected')];
  const problems = [
    ...talkProblems(chosen, 'chosen', { ...TEMPLATE_CHECK, last: 'assistant' }),
    ...talkProblems(rejected, 'rejected', { ...TEMPLATE_CHECK, last: 'assistant' }),
  ];
  const [first, other] = [listOf(chosen)[0], listOf(rejected)[0]];
  return JSON.stringify(first) === JSON.stringify(other)
    ? problems
    : [...problems, 'prompt: is not there, and chosen and rejected begin differently'];
}

function roleOfLast(messages: unknown): unknown {
  const last = listOf(messages).at(-1);
  return isObject(last) ? last.role : undefined;
}
