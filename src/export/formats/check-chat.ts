/** Checks rows of messages as OpenAI's chat has them, by the rules of the loader. */
import { isObject } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ChatRules } from './chat.ts';
import { isImage } from './chat.ts';
import type { Problems } from './check.ts';
import { at, isObjectText, objectsIn, unknownKeys } from './check.ts';

export interface ChatCheck {
  readonly rules: ChatRules;
  /** Keys a row may have. */
  readonly keys: readonly string[];
  /** Who speaks last; anybody when left out. */
  readonly last?: 'assistant' | 'user';
  /** Images by URL are taken. */
  readonly imageUrls?: boolean;
  /** The user first, no role twice in a row. */
  readonly alternate?: boolean;
  /** A system message only at the start. */
  readonly systemFirst?: boolean;
  /** What tool ids must look like. */
  readonly toolId?: RegExp;
  /** Text or calls, never both. */
  readonly contentOrCalls?: boolean;
  /** A function needs them. */
  readonly describedTools?: boolean;
}

export function chatRowProblems(row: JsonObject, check: ChatCheck): Problems {
  return [
    ...unknownKeys(row, check.keys, ''),
    ...talkProblems(row.messages, 'messages', check),
    ...('tools' in row ? toolsProblems(row.tools, check) : []),
  ];
}

/** Problems of a list of messages. */
export function talkProblems(value: unknown, path: string, check: ChatCheck): Problems {
  const { items, problems } = objectsIn(value, path);
  if (problems.length > 0) return problems;
  const found = items.flatMap((message, index) => messageProblems(message, `${path}[${index}]`, check));
  const roles = items.map(({ role }) => role);
  if (check.last && roles.at(-1) !== check.last)
    found.push(`${path}: the last message must be the ${check.last}'s`);
  if (check.last === 'assistant' && !roles.includes('user')) found.push(`${path}: no message of a user`);
  if (
    check.last === 'assistant' &&
    items.every(({ role, weight, train }) => role !== 'assistant' || weight === 0 || train === false)
  )
    found.push(`${path}: no message is trained`);
  return [...found, ...orderProblems(roles, path, check), ...matchProblems(items, path)];
}

function orderProblems(
  roles: readonly unknown[],
  path: string,
  { alternate, systemFirst }: ChatCheck,
): Problems {
  const problems: Problems = [];
  for (const [index, role] of roles.entries()) {
    const before = roles[index - 1];
    if ((systemFirst || alternate) && role === 'system' && index > 0)
      problems.push(`${path}[${index}].role: a system message must be the first`);
    if (!alternate) continue;
    const opens = index === 0 || before === 'system';
    if (opens && role !== 'user' && role !== 'system')
      problems.push(`${path}[${index}].role: the user must be first`);
    if (role === before && role !== 'tool')
      problems.push(`${path}[${index}].role: the ${String(role)} twice in a row`);
    if (role === 'user' && before === 'tool')
      problems.push(`${path}[${index}].role: the assistant must answer the tool`);
  }
  return problems;
}

/** Each call has one result, right behind it. */
function matchProblems(items: readonly JsonObject[], path: string): Problems {
  const problems: Problems = [];
  let open = new Set<unknown>();
  for (const [index, { role, tool_call_id: id, tool_calls: calls }] of items.entries()) {
    if (role === 'tool') {
      if (!open.delete(id)) problems.push(`${path}[${index}].tool_call_id: answers no open call`);
      continue;
    }
    if (open.size > 0) problems.push(`${path}[${index}]: ${open.size} calls before it have no result`);
    open = new Set(Array.isArray(calls) ? calls.map((call) => (isObject(call) ? call.id : undefined)) : []);
  }
  return problems;
}

const KEYS = {
  system: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  tool: ['role', 'content', 'name', 'tool_call_id'],
  assistant: ['role', 'content', 'name', 'tool_calls', 'function_call', 'refusal', 'weight', 'train'],
} as const;

function messageProblems(message: JsonObject, path: string, check: ChatCheck): Problems {
  const { role, content } = message;
  if (role !== 'system' && role !== 'user' && role !== 'tool' && role !== 'assistant')
    return [`${path}.role: expected system, user, assistant or tool, found ${JSON.stringify(role)}`];
  const strays = Object.keys(message).filter((key) => !(KEYS[role] as readonly string[]).includes(key));
  // Where what a model thought stands differs from loader to loader.
  const problems = strays
    .filter((key) => role !== 'assistant' || typeof message[key] !== 'string')
    .map((key) => `${at(path, key)}: unknown key`);
  if (role === 'assistant') return [...problems, ...assistantProblems(message, path, check)];
  if (role === 'tool') {
    if (typeof message.tool_call_id !== 'string') problems.push(`${path}.tool_call_id: expected a text`);
    return typeof content === 'string' ? problems : [...problems, `${path}.content: expected a text`];
  }
  return [...problems, ...contentProblems(content, `${path}.content`, role, check)];
}

function contentProblems(
  content: unknown,
  path: string,
  role: string,
  { rules, imageUrls }: ChatCheck,
): Problems {
  if (typeof content === 'string') return content.trim() === '' ? [`${path}: is blank`] : [];
  if (rules.images === 'none' || role !== 'user' || !Array.isArray(content))
    return [`${path}: expected a text`];
  const { items, problems } = objectsIn(content, path);
  const images = items.filter(({ type }) => type === 'image_url');
  if (images.length > 10) problems.push(`${path}: more than 10 images`);
  for (const [index, { type, text, image_url: image }] of items.entries()) {
    if (type === 'text' && typeof text === 'string') continue;
    const url = isObject(image) ? image.url : undefined;
    if (type !== 'image_url' || typeof url !== 'string')
      problems.push(`${path}[${index}]: expected text or image_url`);
    else if (!isImage(url, imageUrls === true))
      problems.push(`${path}[${index}].image_url.url: expected JPEG, PNG or WebP of 10 MB at most`);
  }
  return problems;
}

function assistantProblems(message: JsonObject, path: string, check: ChatCheck): Problems {
  const { content, tool_calls: calls, refusal, weight, train, function_call: legacy } = message;
  const problems: Problems = [];
  if ('content' in message && typeof content !== 'string') problems.push(`${path}.content: expected a text`);
  const silent = typeof content !== 'string' || content.trim() === '';
  if (silent && calls === undefined && legacy === undefined && typeof refusal !== 'string')
    problems.push(`${path}: says nothing`);
  if (refusal !== undefined && (!check.rules.refusals || typeof refusal !== 'string'))
    problems.push(`${path}.refusal: not known here`);
  if (weight !== undefined && (check.rules.mark !== 'weight' || (weight !== 0 && weight !== 1)))
    problems.push(
      `${path}.weight: expected 0 or 1${check.rules.mark === 'weight' ? '' : ', and only where weights are known'}`,
    );
  if (train !== undefined && (check.rules.mark !== 'train' || typeof train !== 'boolean'))
    problems.push(`${path}.train: not known here`);
  if (check.contentOrCalls && calls !== undefined && !silent)
    problems.push(`${path}: has both content and tool_calls`);
  return calls === undefined ? problems : [...problems, ...callsProblems(calls, `${path}.tool_calls`, check)];
}

function callsProblems(calls: unknown, path: string, { rules, toolId }: ChatCheck): Problems {
  const { items, problems } = objectsIn(calls, path);
  const ids = new Set<unknown>();
  for (const [index, { id, type, function: called }] of items.entries()) {
    const place = `${path}[${index}]`;
    if (typeof id !== 'string' || id === '' || ids.has(id))
      problems.push(`${place}.id: expected a text of its own`);
    else if (toolId && !toolId.test(id)) problems.push(`${place}.id: expected ${String(toolId)}`);
    ids.add(id);
    if (type !== undefined && type !== 'function') problems.push(`${place}.type: expected "function"`);
    const { name, arguments: args } = isObject(called) ? called : {};
    if (typeof name !== 'string' || name === '') problems.push(`${place}.function.name: expected a text`);
    const sound = rules.arguments === 'string' ? isObjectText(args) : isObject(args) || isObjectText(args);
    if (!sound)
      problems.push(
        `${place}.function.arguments: expected ${rules.arguments === 'string' ? 'the JSON text of an object' : 'an object'}`,
      );
  }
  return problems;
}

export function toolsProblems(
  value: unknown,
  { describedTools }: Pick<ChatCheck, 'describedTools'>,
): Problems {
  const { items, problems } = objectsIn(value, 'tools');
  for (const [index, { type, function: defined }] of items.entries()) {
    const path = `tools[${index}]`;
    if (type !== 'function' || !isObject(defined)) {
      problems.push(`${path}: expected {"type": "function", "function": {...}}`);
      continue;
    }
    if (typeof defined.name !== 'string' || defined.name === '')
      problems.push(`${path}.function.name: expected a text`);
    if (defined.parameters !== undefined && !isObject(defined.parameters))
      problems.push(`${path}.function.parameters: expected an object`);
    if (describedTools && (typeof defined.description !== 'string' || !isObject(defined.parameters)))
      problems.push(`${path}.function: needs description and parameters`);
  }
  return problems;
}

/** Problems of a file by its size. */
export function fileProblems(
  { rows, bytes }: { readonly rows: number; readonly bytes: number },
  {
    minRows = 1,
    maxRows = Infinity,
    maxBytes = Infinity,
  }: { minRows?: number; maxRows?: number; maxBytes?: number },
): Problems {
  const problems: Problems = [];
  if (rows < minRows) problems.push(`the file has ${rows} rows: ${minRows} are the least`);
  if (rows > maxRows) problems.push(`the file has ${rows} rows: ${maxRows} are the most`);
  if (bytes > maxBytes) problems.push(`the file has ${bytes} bytes: ${maxBytes} are the most`);
  return problems;
}
