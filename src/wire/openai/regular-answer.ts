/** Normalises whole answers of servers that deviate from OpenAI's chat. */
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { regularReasoning } from './regular-chunks.ts';

/** @param single whether a single answer was requested @returns the same object if it is regular */
export function regularAnswer(body: JsonObject, single: boolean): JsonObject {
  const given = listOf(body.choices);
  const choices = given.map((choice) => (isObject(choice) ? regularChoice(choice) : choice));
  const parted = single && choices.length > 1 && choices.filter(says).length < 2;
  const joined = parted ? [joinedChoice(choices.filter(isObject))] : choices;
  const same = joined.length === given.length && joined.every((choice, at) => choice === given[at]);
  return same ? body : { ...body, choices: joined };
}

/** Whether a choice contains text: two choices with text are two answers. */
function says(choice: unknown): boolean {
  const { content } = objectOf(objectOf(choice).message);
  return listOf(content).length > 0 || isObject(content) || Boolean(stringOf(content));
}

/** Copilot returns the text and the calls of Claude models as two choices. */
function joinedChoice(choices: readonly JsonObject[]): JsonObject {
  const messages = choices.map(({ message }) => objectOf(message));
  const calls = messages.flatMap(({ tool_calls: each }) => listOf(each));
  const texts = messages
    .map(({ content }) => content)
    .filter((content) => content !== null && content !== undefined);
  const content = texts.every((text) => typeof text === 'string') ? texts.join('') : texts.flatMap(partsOf);
  const called = choices.find(({ message }) => listOf(objectOf(message).tool_calls).length > 0);
  return {
    ...choices[0],
    finish_reason: (called ?? choices[0])?.finish_reason,
    message: {
      ...Object.assign({}, ...messages.toReversed()),
      content: texts.length > 0 ? content : null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  };
}

function partsOf(content: unknown): unknown[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
}

function regularChoice(choice: JsonObject): JsonObject {
  const message = objectOf(choice.message);
  const regular = regularIds(regularReasoning(ofSnowflake(message)));
  const calls = listOf(regular.tool_calls).length > 0;
  // Some servers have no finish reason for answers with tool calls.
  const finish = calls && choice.finish_reason === '' ? { finish_reason: 'tool_calls' } : {};
  return regular === message && !('finish_reason' in finish)
    ? choice
    : { ...choice, message: regular, ...finish };
}

/** Some servers have numeric call ids; in chat an id is a text. */
function regularIds(message: JsonObject): JsonObject {
  const calls = listOf(message.tool_calls);
  if (!calls.some((call) => typeof objectOf(call).id === 'number')) return message;
  const tool_calls = calls.map((call) =>
    isObject(call) && typeof call.id === 'number' ? { ...call, id: String(call.id) } : call,
  );
  return { ...message, tool_calls };
}

/** Snowflake's `inference:complete` returns text and calls as a list like Claude's, in a field of its own. */
function ofSnowflake(message: JsonObject): JsonObject {
  const { content_list: list, ...rest } = message;
  if (!Array.isArray(list)) return message;
  const parts = list.filter(isObject);
  const tool_calls = parts.flatMap(({ type, tool_use: use }) => {
    if (type !== 'tool_use' || !isObject(use)) return [];
    const { tool_use_id: id, name, input } = use;
    const text = isObject(input) ? jsonTextOf(input) : (stringOf(input) ?? '{}');
    return [{ id, type: 'function', function: { name, arguments: text } }];
  });
  const text = parts.map((part) => (part.type === 'text' ? (stringOf(part.text) ?? '') : '')).join('');
  return {
    ...rest,
    content: stringOf(message.content) || text,
    ...(tool_calls.length > 0 ? { tool_calls } : {}),
  };
}
