/** A row of any format as turns to display. */
import type { Format } from '../render/format.ts';
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../wire/json.ts';

/** One turn of a row: a role and its text. */
export interface ShownTurn {
  readonly role: string;
  readonly text: string;
  /** Whether the model is trained to write it. */
  readonly trained: boolean;
}

/**
 * The turns of a row, in the order in which a trainer sees them. @param loss what the format trains; without it nothing
 * is marked
 */
export function turnsOfRow(row: JsonObject, loss: Format['loss'] | undefined): ShownTurn[] {
  if (loss === undefined) return [{ role: 'record', text: JSON.stringify(row, null, 2), trained: false }];
  if (Array.isArray(row.contents))
    return [...shown('system', row.systemInstruction), ...messages(row.contents, 'all')];
  if (Array.isArray(row.conversations)) return messages(row.conversations, 'all');
  if (row.instruction !== undefined) return alpaca(row);
  if (row.text !== undefined) return [{ role: 'text', text: textOf(row.text), trained: true }];
  const { prompt, input } = row;
  return [
    ...shown('system', row.system),
    ...messages(prompt ?? objectOf(input).messages, 'completion'),
    ...messages(row.messages, loss),
    ...answer(`completion${judged(row.label)}`, row.completion, row.label !== false && row.label !== 0),
    ...answer('chosen', row.chosen ?? row.preferred_output),
    // The model is trained to avoid it.
    ...answer('rejected', row.rejected ?? row.non_preferred_output, false),
    ...reference(row),
  ];
}

/** The names of the tools that a row defines, in any format. */
export function toolNames({ tools, toolConfig, input }: JsonObject): string[] {
  const given = tools ?? objectOf(toolConfig).tools ?? objectOf(input).tools;
  const list = typeof given === 'string' ? parseJson(given) : given;
  return listOf(list).flatMap((tool) => {
    const { function: defined, functionDeclarations: declared, toolSpec, name } = objectOf(tool);
    if (Array.isArray(declared)) return declared.flatMap((each) => stringOf(objectOf(each).name) ?? []);
    return stringOf(name ?? objectOf(defined ?? toolSpec).name) ?? [];
  });
}

const ANSWERS = new Set(['assistant', 'model', 'gpt', 'function_call']);

function messages(list: unknown, loss: Format['loss']): ShownTurn[] {
  return listOf(list).map((each) => {
    const message = objectOf(each);
    const role = stringOf(message.role ?? message.from) ?? 'unknown';
    const marked = message.weight !== 0 && message.train !== false;
    const trained = ANSWERS.has(role) && (loss === 'all' || (loss === 'per_turn' && marked));
    return { role, text: textOfMessage(message), trained };
  });
}

function answer(role: string, list: unknown, trained = true): ShownTurn[] {
  if (typeof list === 'string') return [{ role, text: list, trained }];
  return listOf(list).map((message) => ({ role, text: textOfMessage(objectOf(message)), trained }));
}

function shown(role: string, content: unknown): ShownTurn[] {
  const text = textOf(isObject(content) ? content.parts : content);
  return text === '' ? [] : [{ role, text, trained: false }];
}

function judged(label: unknown): string {
  if (label === undefined) return '';
  return label === true || label === 1 ? ', good' : ', bad';
}

/** The reference with which a grader compares answers. */
function reference({ reference_answer: text, reference_tool_calls: calls }: JsonObject): ShownTurn[] {
  if (text === undefined) return [];
  const called = listOf(calls).map((call) => callText(objectOf(call)));
  return [{ role: 'reference', text: [textOf(text), ...called].filter(Boolean).join('\n'), trained: false }];
}

function alpaca({ system, history, instruction, input, output }: JsonObject): ShownTurn[] {
  const before = listOf(history).flatMap((pair) => {
    const [question, answered] = listOf(pair);
    return [
      { role: 'user', text: textOf(question), trained: false },
      { role: 'assistant', text: textOf(answered), trained: true },
    ];
  });
  const question = [textOf(instruction), textOf(input)].filter(Boolean).join('\n');
  return [
    ...shown('system', system),
    ...before,
    { role: 'user', text: question, trained: false },
    { role: 'assistant', text: textOf(output), trained: true },
  ];
}

/** Fields with reasoning, including all that `--reasoning` can name. */
const OTHER_FIELDS = new Set([
  'role',
  'content',
  'name',
  'tool_call_id',
  'refusal',
  'from',
  'value',
  'parts',
]);

function textOfMessage(message: JsonObject): string {
  const { content, value, parts, refusal, tool_calls: calls } = message;
  const thoughts = Object.entries(message).flatMap(([key, text]) =>
    !OTHER_FIELDS.has(key) && typeof text === 'string' && text !== '' ? [`(${key}) ${text}`] : [],
  );
  const called = listOf(calls).map((call) => callText(objectOf(objectOf(call).function)));
  const texts = [textOf(content ?? value ?? parts), typeof refusal === 'string' ? refusal : ''];
  return [...thoughts, ...texts, ...called].filter(Boolean).join('\n');
}

/** Text, or lists of parts and blocks, in any format. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => partText(objectOf(part)))
    .join('\n');
}

function partText(part: JsonObject): string {
  const { text, functionCall, toolUse, functionResponse, toolResult, reasoningContent } = part;
  if (typeof text === 'string') return text;
  if (functionCall !== undefined || toolUse !== undefined) return callText(objectOf(functionCall ?? toolUse));
  if (reasoningContent !== undefined)
    return `(reasoning) ${textOf([objectOf(reasoningContent).reasoningText])}`;
  if (functionResponse !== undefined) return JSON.stringify(objectOf(functionResponse).response);
  if (toolResult !== undefined) return textOf(objectOf(toolResult).content);
  if (part.json !== undefined) return JSON.stringify(part.json);
  return part.image_url !== undefined || part.fileData !== undefined || part.image !== undefined
    ? '[image]'
    : '';
}

function callText({ name, arguments: args, input, args: given }: JsonObject): string {
  const value = args ?? input ?? given ?? {};
  return `${stringOf(name) ?? 'unknown'}(${typeof value === 'string' ? value : JSON.stringify(value)})`;
}
