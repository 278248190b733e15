/** Checks rows of OpenAI chat messages, by the rules of their loader. */
import { isObject, listOf, parseJson } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { MessageCheck } from './message-check.ts';
import type { FunctionRules } from './function-rules.ts';
import type { Problems } from './problems.ts';
import { functionsOf, functionsProblems } from './function-rules.ts';
import { messageProblems } from './message-check.ts';
import { objectsIn, unknownKeys } from './problems.ts';
import { onlyResults } from './results-in-text.ts';

/** Rules for a list of messages. */
export interface TalkCheck extends MessageCheck {
  /** The role of the last message; any by default. */
  readonly last?: 'assistant' | 'user';
  /** The user must be first, and roles must alternate. After a result, the user may speak, or only the assistant. */
  readonly alternate?: true | 'answering_results';
  /** A system message is only allowed at the start. */
  readonly systemFirst?: true;
  /** Whether loaders fail if all messages of the user look like results of tools. */
  readonly asksQuestion?: true;
}

/** Rules for a list of tools. */
export interface ToolsCheck {
  /** A function must have a description and parameters. */
  readonly describedTools?: true;
  /** What the service demands of functions. */
  readonly functionRules?: FunctionRules;
  /** The list may be JSON text, or `null` if there are no tools. */
  readonly textTools?: true;
}

export interface RowCheck extends TalkCheck, ToolsCheck {
  /** The allowed keys of a row; others are ignored by default. */
  readonly keys?: readonly string[];
}

export function chatRowProblems(row: JsonObject, check: RowCheck): Problems {
  return [
    ...(check.keys ? unknownKeys(row, check.keys, '') : []),
    ...talkProblems(row.messages, 'messages', check),
    ...toolsProblems(row, '', check),
  ];
}

/** Problems of a list of messages. */
export function talkProblems(value: unknown, path: string, check: TalkCheck): Problems {
  const { items, problems } = objectsIn(value, path);
  if (problems.length > 0) return problems;
  return [
    ...items.flatMap((message, index) => messageProblems(message, `${path}[${index}]`, check)),
    ...roleProblems(items, path, check),
    ...orderProblems(items, path, check),
    ...questionProblems(items, path, check),
    ...matchProblems(items, path),
    ...imageProblems(items, path, check),
  ];
}

function roleProblems(items: readonly JsonObject[], path: string, { last }: TalkCheck): Problems {
  const problems: Problems = [];
  const roles = items.map(({ role }) => role);
  if (last && roles.at(-1) !== last) problems.push(`${path}: the last message must be the ${last}'s`);
  if (last !== 'assistant') return problems;
  if (!roles.includes('user')) problems.push(`${path}: no message of a user`);
  const trained = items.some(
    ({ role, weight, train }) => role === 'assistant' && weight !== 0 && train !== false,
  );
  return trained ? problems : [...problems, `${path}: no message is trained`];
}

function orderProblems(
  items: readonly JsonObject[],
  path: string,
  { alternate, systemFirst }: TalkCheck,
): Problems {
  const problems: Problems = [];
  for (const [index, { role }] of items.entries()) {
    const before = items[index - 1]?.role;
    const place = `${path}[${index}].role`;
    if ((systemFirst || alternate) && role === 'system' && index > 0)
      problems.push(`${place}: a system message must be the first`);
    if (!alternate) continue;
    const opens = index === 0 || before === 'system';
    if (opens && role !== 'user' && role !== 'system') problems.push(`${place}: the user must be first`);
    if (role === before && role !== 'tool') problems.push(`${place}: the ${String(role)} twice in a row`);
    if (alternate === 'answering_results' && role === 'user' && before === 'tool')
      problems.push(`${place}: the assistant must answer the tool`);
  }
  return problems;
}

function questionProblems(items: readonly JsonObject[], path: string, { asksQuestion }: TalkCheck): Problems {
  const said = items.flatMap(({ role, content }) =>
    role === 'user' && typeof content === 'string' ? [content] : [],
  );
  return asksQuestion && onlyResults(said)
    ? [`${path}: chat templates take all messages of the user for results (<tool_response>), and fail`]
    : [];
}

/** Each call must have one result, directly after it; calls of the last message need none. */
function matchProblems(items: readonly JsonObject[], path: string): Problems {
  const problems: Problems = [];
  let open = new Set<unknown>();
  const close = (place: string) => {
    if (open.size > 0) problems.push(`${place}: ${open.size} calls before it have no result`);
  };
  for (const [index, { role, tool_call_id: id, tool_calls: calls }] of items.entries()) {
    if (role === 'tool') {
      if (!open.delete(id)) problems.push(`${path}[${index}].tool_call_id: answers no open call`);
      continue;
    }
    close(`${path}[${index}]`);
    open = new Set(listOf(calls).map((call) => (isObject(call) ? call.id : undefined)));
  }
  if (items.at(-1)?.role === 'tool') close(`${path}: the end`);
  return problems;
}

function imageProblems(
  items: readonly JsonObject[],
  path: string,
  { rules: { images } }: TalkCheck,
): Problems {
  const problems: Problems = [];
  const most = images?.most ?? Infinity;
  const parts = items.flatMap(({ content }) => listOf(content));
  const count = parts.filter((part) => isObject(part) && part.type === 'image_url').length;
  if (count > most) problems.push(`${path}: ${count} images: ${most} are the most`);
  const texts = items.some(({ content }) => typeof content === 'string' && content !== '');
  if (images?.allParts && texts && parts.length > 0)
    problems.push(`${path}: some messages are texts and some lists of parts: expected one or the other`);
  return problems;
}

/** Problems of the tools beside messages, if there are any. */
export function toolsProblems(
  { tools }: JsonObject,
  path: string,
  { describedTools, textTools, functionRules }: ToolsCheck = {},
): Problems {
  if (tools === undefined || (textTools && tools === null)) return [];
  const value = textTools && typeof tools === 'string' ? parseJson(tools) : tools;
  const name = path === '' ? 'tools' : `${path}.tools`;
  const { items, problems } = objectsIn(value, name);
  for (const [index, { type, function: defined }] of items.entries()) {
    const place = `${name}[${index}]`;
    if (type !== 'function' || !isObject(defined)) {
      problems.push(`${place}: expected {"type": "function", "function": {...}}`);
      continue;
    }
    if (typeof defined.name !== 'string' || defined.name === '')
      problems.push(`${place}.function.name: expected a text`);
    if (defined.parameters !== undefined && !isObject(defined.parameters))
      problems.push(`${place}.function.parameters: expected an object`);
    if (typeof (defined.strict ?? true) !== 'boolean')
      problems.push(`${place}.function.strict: expected true or false`);
    if (describedTools && (typeof defined.description !== 'string' || !isObject(defined.parameters)))
      problems.push(`${place}.function: needs description and parameters`);
  }
  if (functionRules)
    problems.push(
      ...functionsProblems(functionsOf(value), (index) => `${name}[${index}].function`, functionRules),
    );
  return problems;
}

/** Problems with the size of a file. */
export function fileProblems(
  { rows, bytes }: { readonly rows: number; readonly bytes: number },
  {
    minRows = 1,
    maxRows = Infinity,
    maxBytes = Infinity,
  }: { minRows?: number; maxRows?: number; maxBytes?: number },
): Problems {
  const problems: Problems = [];
  if (rows < minRows)
    problems.push(`the file has ${rows} ${rows === 1 ? 'row' : 'rows'}: ${minRows} are the least`);
  if (rows > maxRows) problems.push(`the file has ${rows} rows: ${maxRows} are the most`);
  if (bytes > maxBytes) problems.push(`the file has ${bytes} bytes: ${maxBytes} are the most`);
  return problems;
}
