import type { JsonObject } from '../../wire/json.ts';
import type { Example, Message } from '../conversation/conversation.ts';
import type { Problems } from './problems.ts';
import type { Format, RenderOptions } from './format.ts';
import { isObject } from '../../wire/json.ts';
import { isObjectText, objectsIn, textProblems, unknownKeys } from './problems.ts';
import { mergedTurns, partsOf } from './turns.ts';

/**
 * Traces for the viewer of the Hugging Face Hub: a line for the session, which may hold what it likes, and one for each
 * message. The Hub shows one session a file.
 * @see https://huggingface.co/docs/hub/session-traces-format
 */
export const hfTracesFormat: Format = {
  name: 'hf-traces',
  summary:
    'The trace viewer of the Hugging Face Hub: several lines a conversation, a file each in a directory',
  sampleKind: 'sft',
  loss: 'nothing',
  reasoning: 'keep',
  extras: true,
  columns: undefined,
  rowStart: '{"type":"session",',
  render,
  check,
};

function render(
  { conversation: { prompt, answer, tools }, metadata }: Example,
  options: RenderOptions,
): JsonObject[] {
  const said = options.mergeTurns ? mergedTurns([...prompt, answer]) : [...prompt, answer];
  const messages = said.map((message) => ({ type: 'message', message: traced(message, options) }));
  // The same session has the same id, whenever it is exported.
  const id = Bun.hash.xxHash3(JSON.stringify(messages)).toString(16).padStart(16, '0');
  const session = {
    type: 'session',
    harness: 'llmproxy',
    id,
    ...(tools.length > 0 ? { tools } : {}),
    ...(metadata ? { metadata } : {}),
  };
  return [session, ...messages];
}

function traced(message: Message, { reasoning: mode }: RenderOptions): JsonObject {
  if (message.role === 'tool')
    return { role: 'tool', content: message.content, toolCallId: message.tool_call_id };
  if (message.role !== 'assistant') return { role: message.role, content: textAndImages(message.content) };
  const { content, refusal, reasoning, tool_calls: calls } = message;
  return {
    role: 'assistant',
    content: refusal ?? content,
    ...(reasoning === undefined || mode === 'drop' ? {} : { reasoningContent: reasoning }),
    ...(calls ? { toolCalls: calls.map(({ id, function: called }) => ({ id, function: called })) } : {}),
  };
}

/** The viewer shows text; a picture is named. */
function textAndImages(content: Parameters<typeof partsOf>[0]): string {
  return partsOf(content)
    .map((part) => (part.type === 'text' ? part.text : '[image]'))
    .join('\n');
}

const ROLES: readonly unknown[] = ['user', 'assistant', 'system', 'tool'];
const KEYS = ['role', 'content', 'reasoningContent', 'toolCalls', 'toolCallId', 'timestamp', 'model'];

/** One line: of a session, or of a message. */
function check({ type, harness, id, name, message }: JsonObject): Problems {
  if (type === 'session')
    return [
      ...textProblems(harness, 'harness'),
      ...textProblems(id, 'id'),
      ...(name === undefined ? [] : textProblems(name, 'name')),
    ];
  if (type !== 'message') return ['type: expected session or message'];
  if (!isObject(message)) return ['message: expected an object'];
  const { role, content, timestamp, toolCalls } = message;
  // Another program's word for a field, such as tool_calls, is shown nowhere.
  const problems = unknownKeys(message, KEYS, 'message');
  if (!ROLES.includes(role)) problems.push(`message.role: expected ${ROLES.join(', ')}`);
  if (typeof content !== 'string') problems.push('message.content: expected a text');
  for (const key of ['reasoningContent', 'model'])
    if (typeof (message[key] ?? '') !== 'string') problems.push(`message.${key}: expected a text`);
  if (timestamp !== undefined && typeof timestamp !== 'number')
    problems.push('message.timestamp: expected milliseconds');
  if (role === 'tool') problems.push(...textProblems(message.toolCallId, 'message.toolCallId'));
  return toolCalls === undefined ? problems : [...problems, ...callProblems(toolCalls, role)];
}

function callProblems(calls: unknown, role: unknown): Problems {
  const { items, problems } = objectsIn(calls, 'message.toolCalls');
  if (role !== 'assistant') problems.push('message.toolCalls: only the assistant calls');
  for (const [index, { id, function: called }] of items.entries()) {
    const path = `message.toolCalls[${index}]`;
    problems.push(...textProblems(id, `${path}.id`));
    if (!isObject(called) || typeof called.name !== 'string' || !isObjectText(called.arguments))
      problems.push(`${path}.function: expected a name, and the JSON text of an object as arguments`);
  }
  return problems;
}
