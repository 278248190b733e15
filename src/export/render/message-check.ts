/** Checks one OpenAI chat message, by the rules of its loader. */
import { isObject } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ChatRules } from './chat.ts';
import type { FunctionRules } from './function-rules.ts';
import type { Problems } from './problems.ts';
import { at, isObjectText, objectsIn } from './problems.ts';
import { isImage } from './images.ts';
import { nameProblems } from './function-rules.ts';

/** A loader's rules for single messages that do not concern rendering. */
export interface MessageCheck {
  readonly rules: ChatRules;
  /** Whether `null` is allowed for no text; chat templates would fail or print it. */
  readonly nullContent?: true;
  /** Whether deprecated functions are allowed, with a role of their own. */
  readonly functions?: true;
  /** Whether arguments may be an object or its JSON text. */
  readonly anyArguments?: true;
  /** What the service demands of names. */
  readonly functionRules?: FunctionRules;
  /** The pattern of call ids. */
  readonly toolId?: RegExp;
  /** Whether a message may have text or calls, but not both. */
  readonly contentOrCalls?: true;
}

const KEYS = {
  system: ['role', 'content', 'name'],
  user: ['role', 'content', 'name'],
  tool: ['role', 'content', 'name', 'tool_call_id'],
  function: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'name', 'tool_calls', 'function_call', 'refusal', 'weight', 'train'],
} as const;

export function messageProblems(message: JsonObject, path: string, check: MessageCheck): Problems {
  const role = roleOf(message, check);
  if (role === undefined)
    return [
      `${path}.role: expected system, user, assistant or tool, found ${JSON.stringify(message.role) ?? 'none'}`,
    ];
  const strays = Object.keys(message).filter((key) => !(KEYS[role] as readonly string[]).includes(key));
  const problems = strays
    // The field for reasoning differs between loaders.
    .filter((key) => !check.rules.reasoningField || role !== 'assistant' || typeof message[key] !== 'string')
    .map((key) => `${at(path, key)}: unknown key`);
  const { name } = message;
  if (role !== 'function' && typeof (name ?? '') !== 'string') problems.push(`${path}.name: expected a text`);
  if (check.functionRules) problems.push(...nameProblems(message.name, `${path}.name`, check.functionRules));
  if (role === 'assistant') return [...problems, ...assistantProblems(message, path, check)];
  if (role === 'tool' && typeof message.tool_call_id !== 'string')
    problems.push(`${path}.tool_call_id: expected a text`);
  if (role === 'function' && typeof message.name !== 'string')
    problems.push(`${path}.name: expected the function's name`);
  return [...problems, ...contentProblems(message.content, `${path}.content`, role, check)];
}

function roleOf({ role }: JsonObject, { functions }: MessageCheck): keyof typeof KEYS | undefined {
  if (role === 'function') return functions ? role : undefined;
  return role === 'system' || role === 'user' || role === 'tool' || role === 'assistant' ? role : undefined;
}

/** A text, which only tools may leave blank; or a list of parts, if the loader supports images. */
function contentProblems(
  content: unknown,
  path: string,
  role: string,
  { rules: { images } }: MessageCheck,
): Problems {
  if (typeof content === 'string')
    return content.trim() === '' && role !== 'tool' && role !== 'function' ? [`${path}: is blank`] : [];
  if (!images || !Array.isArray(content)) return [`${path}: expected a text`];
  const { items, problems } = objectsIn(content, path);
  for (const [index, { type, text, image_url: image }] of items.entries()) {
    if (type === 'text' && typeof text === 'string') continue;
    const url = isObject(image) ? image.url : undefined;
    if (type !== 'image_url' || typeof url !== 'string')
      problems.push(`${path}[${index}]: expected text or image_url`);
    else if (role !== 'user') problems.push(`${path}[${index}]: only the user shows images`);
    else if (!isImage(url, images))
      problems.push(
        `${path}[${index}].image_url.url: expected ${images.urls ? 'a URL, or ' : ''}data of ${images.types.join(', ')}, 10 MB at most`,
      );
  }
  return problems;
}

function assistantProblems(message: JsonObject, path: string, check: MessageCheck): Problems {
  const { content, tool_calls: calls, function_call: called, refusal, weight, train } = message;
  const problems: Problems = [];
  const silent = content === undefined || content === null || content === '';
  if (content === null && !check.nullContent) problems.push(`${path}.content: is null`);
  if (!silent) problems.push(...contentProblems(content, `${path}.content`, 'assistant', check));
  if (silent && calls === undefined && called === undefined && typeof refusal !== 'string')
    problems.push(`${path}: says nothing`);
  if (called !== undefined && !check.functions) problems.push(`${path}.function_call: not known here`);
  if (refusal !== undefined && !(check.nullContent && refusal === null))
    if (!check.rules.refusals || typeof refusal !== 'string')
      problems.push(`${path}.refusal: not known here`);
  if (weight !== undefined && (check.rules.mark !== 'weight' || (weight !== 0 && weight !== 1)))
    problems.push(`${path}.weight: ${check.rules.mark === 'weight' ? 'expected 0 or 1' : 'is passed over'}`);
  if (train !== undefined && (check.rules.mark !== 'train' || typeof train !== 'boolean'))
    problems.push(
      `${path}.train: ${check.rules.mark === 'train' ? 'expected true or false' : 'is passed over'}`,
    );
  if (check.contentOrCalls && calls !== undefined && !silent)
    problems.push(`${path}: has both content and tool_calls`);
  return calls === undefined ? problems : [...problems, ...callsProblems(calls, `${path}.tool_calls`, check)];
}

function callsProblems(
  calls: unknown,
  path: string,
  { rules, toolId, anyArguments, functionRules }: MessageCheck,
): Problems {
  const { items, problems } = objectsIn(calls, path);
  const ids = new Set<unknown>();
  for (const [index, { id, type, function: called }] of items.entries()) {
    const place = `${path}[${index}]`;
    if (typeof id !== 'string' || id.trim() === '' || ids.has(id))
      problems.push(`${place}.id: expected a text of its own`);
    else if (toolId && !toolId.test(id)) problems.push(`${place}.id: expected ${String(toolId)}`);
    ids.add(id);
    if (type !== undefined && type !== 'function') problems.push(`${place}.type: expected "function"`);
    const { name, arguments: args } = isObject(called) ? called : {};
    if (typeof name !== 'string' || name.trim() === '')
      problems.push(`${place}.function.name: expected a text`);
    else if (functionRules) problems.push(...nameProblems(name, `${place}.function.name`, functionRules));
    const texts = anyArguments || rules.arguments === 'string';
    const objects = anyArguments || rules.arguments === 'object';
    if (!(texts && isObjectText(args)) && !(objects && isObject(args)))
      problems.push(
        `${place}.function.arguments: expected ${texts ? 'the JSON text of an object' : 'an object, not text'}`,
      );
  }
  return problems;
}
