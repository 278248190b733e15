import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Tool } from '../conversation/conversation.ts';
import type { Problems } from './problems.ts';
import type { Format, RenderOptions } from './format.ts';
import type { Turn } from './tool-turns.ts';
import { isObject, objectOf, parseExactJson, parseJson } from '../../wire/json.ts';
import { objectsIn, textProblems, unknownKeys } from './problems.ts';
import { fittedTools, functionsProblems, TEMPLATE_FUNCTIONS } from './function-rules.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { textEnumProblems, withTextEnums } from './text-enums.ts';
import { turnsOf } from './tool-turns.ts';
import { alternating, systemApart, textOf, withinResult, withoutRefusals } from './turns.ts';
import { jsonText } from '../conversation/json.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';

/**
 * ShareGPT as LLaMA-Factory loads it. The system prompt is the first turn, where Unsloth and others find it
 * as well; rows always have `tools`, since LLaMA-Factory fails if a declared column is missing everywhere.
 * It skips rows in the wrong order with only a warning, and accepts nothing but JSON in a turn with calls:
 * text beside them is left out.
 * @see https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
 */
export const sharegptFormat: Format = {
  name: 'sharegpt',
  summary: 'ShareGPT: LLaMA-Factory; Unsloth if there are no tools',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  extras: true,
  columns: [
    { name: 'conversations', type: 'jsons' },
    { name: 'tools', type: 'string' },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render: ({ conversation: { prompt, answer, tools }, metadata }, options) => {
    const messages = [...prompt, answer];
    withoutRefusals(messages);
    const { system, rest } = systemApart(messages);
    return {
      conversations: [
        ...(system === undefined ? [] : [{ from: 'system', value: system }]),
        ...sharedTurns(turnsOf(alternating(rest)), options),
      ],
      tools: tools.length > 0 ? jsonText(fittedTools(tools, TEMPLATE_FUNCTIONS).map(bare)) : '',
      ...(metadata ? { metadata } : {}),
    };
  },
  check,
};

/** What a human says directly after an observation is part of it: otherwise the row would be skipped. */
function sharedTurns(turns: readonly Turn[], options: RenderOptions): JsonObject[] {
  const rendered: JsonObject[] = [];
  for (const turn of turns) {
    const last = rendered.at(-1);
    if (turn.by === 'user' && last?.from === 'observation')
      last.value = withinResult(last.value as string, turn.message);
    else rendered.push(shared(turn, options));
  }
  return rendered;
}

function shared(turn: Turn, options: RenderOptions): JsonObject {
  if (turn.by === 'user') return { from: 'human', value: textOf(turn.message) };
  if (turn.by === 'assistant') return answered(turn.message, options);
  const [first, ...more] = turn.results.map(({ content }) => content);
  // Only a list shows where one text ends and the next begins.
  return {
    from: 'observation',
    value: more.length === 0 ? first : jsonText([first!, ...more].map(unquoted)),
  };
}

/** JSON objects are embedded as objects in a list, rather than as text with escaped quotes. */
function unquoted(text: string): unknown {
  const value = parseExactJson(text);
  return isObject(value) ? value : text;
}

/** Arguments are objects: LLaMA-Factory serialises them itself. */
function answered(message: AssistantMessage, options: RenderOptions): JsonObject {
  if (!message.tool_calls) return { from: 'gpt', value: textWithReasoning(message, options) };
  if (message.content !== '') options.onOmitted?.();
  const calls = message.tool_calls.map(({ function: { name, arguments: args } }) => ({
    name,
    arguments: parseLongNumbers(args),
  }));
  const content = jsonText(calls.length === 1 ? calls[0] : calls);
  return { from: 'function_call', value: textWithReasoning({ ...message, content }, options) };
}

/** Its plain template reads `parameters.properties` unconditionally. */
function bare({ function: { name, description, parameters } }: Tool): JsonObject {
  const schema = withTextEnums({ type: 'object', ...objectOf(parameters) });
  return {
    name,
    ...(description === undefined ? {} : { description }),
    parameters: isObject(objectOf(parameters).properties) ? schema : { ...schema, properties: {} },
  };
}

const PLACES = [
  ['human', 'observation'],
  ['gpt', 'function_call'],
] as const;

function check(row: JsonObject): Problems {
  const problems = unknownKeys(row, ['conversations', 'system', 'tools', 'metadata', 'images'], '');
  const { items, problems: found } = objectsIn(row.conversations, 'conversations');
  const start = items[0]?.from === 'system' ? 1 : 0;
  if (start === 1) found.push(...textProblems(items[0]!.value, 'conversations[0].value'));
  for (const [index, turn] of items.slice(start).entries())
    found.push(...turnProblems(turn, index, items[index + start - 1], `conversations[${index + start}]`));
  if ((items.length - start) % 2 === 1) found.push('conversations: the last turn must be an answer');
  if (items.length === start && items.length > 0) found.push('conversations: there are no messages');
  // A column must be present in all rows: it may be empty.
  if (typeof (row.system ?? '') !== 'string') found.push('system: expected a text');
  return [...problems, ...found, ...toolsProblems(row.tools ?? '')];
}

/** @param index of the turn, not counting the system prompt */
function turnProblems(
  { from, value }: JsonObject,
  index: number,
  before: JsonObject | undefined,
  path: string,
): Problems {
  const allowed: readonly unknown[] = PLACES[index % 2]!;
  const problems = allowed.includes(from) ? [] : [`${path}.from: expected ${allowed.join(' or ')}`];
  if (from === 'observation' && before?.from !== 'function_call')
    problems.push(`${path}.from: an observation answers a function_call`);
  if (from === 'observation' && typeof value === 'string') return problems;
  const text = typeof value === 'string' ? value.replace(/^<think>.*?<\/think>/s, '') : '';
  if (from === 'function_call' && !isCall(parseJson(text)))
    problems.push(`${path}.value: expected the JSON text of a call or several, with objects as arguments`);
  return [...problems, ...textProblems(value, `${path}.value`)];
}

function isCall(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((each) => isObject(each) && isCall(each));
  return isObject(value) && typeof value.name === 'string' && isObject(value.arguments);
}

function toolsProblems(text: unknown): Problems {
  if (text === '') return [];
  const tools = typeof text === 'string' ? parseJson(text) : undefined;
  if (!Array.isArray(tools)) return ['tools: expected the JSON text of a list'];
  const functions = tools.map((tool: unknown) => {
    const outer = objectOf(tool);
    return outer.type === 'function' ? objectOf(outer.function) : outer;
  });
  const problems = functions.flatMap(({ name, parameters }, index) => [
    ...textProblems(name, `tools[${index}].name`),
    ...(objectOf(parameters).properties === undefined
      ? [`tools[${index}].parameters.properties: expected an object`]
      : []),
  ]);
  return [
    ...problems,
    ...functions.flatMap(({ parameters }, index) =>
      textEnumProblems(objectOf(parameters), `tools[${index}].parameters`),
    ),
    ...functionsProblems(functions, (index) => `tools[${index}]`, TEMPLATE_FUNCTIONS),
  ];
}
