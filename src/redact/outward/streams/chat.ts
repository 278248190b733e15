import type { JsonObject } from '../../../wire/json.ts';
import type { StreamShape, TextSlot } from '../restore-events.ts';
import { isObject, listOf, numberOf, objectOf } from '../../../wire/json.ts';

/** Fields of a delta that contain words. */
const SAID = ['content', 'refusal'] as const;
const THOUGHT = ['reasoning_content', 'reasoning'] as const;

/** Chat, and the older completions. */
export const CHAT_STREAM = chatShape(true);

/** The same, with reasoning that may be signed: it keeps its placeholders. */
export const SIGNING_CHAT_STREAM = chatShape(false);

function chatShape(restoresThoughts: boolean): StreamShape {
  return {
    slots: ({ choices }) => listOf(choices).flatMap((choice) => slotsIn(objectOf(choice), restoresThoughts)),
    ends({ choices }, channel) {
      const choice = listOf(choices)
        .map(objectOf)
        .find((each) => channel.startsWith(`${indexOf(each)}/`));
      if (!choice) return false;
      if (isOver(choice)) return true;
      // Calls may take turns, but words come before them.
      return !channel.includes('/call/') && saysSomething(choice);
    },
    bringing(like, { channel, holder, field }, text) {
      const choice = listOf(like.choices)
        .map(objectOf)
        .find((each) => channel.startsWith(`${indexOf(each)}/`))!;
      const added = channel.endsWith('/text')
        ? { text }
        : { delta: deltaOf(objectOf(choice.delta), holder, { [field]: text }) };
      const { usage: _, ...rest } = like;
      return { ...rest, choices: [{ index: indexOf(choice), ...added, finish_reason: null }] };
    },
  };
}

/** The delta of a choice that contains nothing but one text. */
function deltaOf(delta: JsonObject, holder: JsonObject, added: JsonObject): JsonObject {
  if (holder === delta) return added;
  if (holder === delta.function_call) return { function_call: added };
  if (holder === delta.audio) return { audio: added };
  const call = listOf(delta.tool_calls)
    .map(objectOf)
    .find(({ function: called }) => called === holder);
  return { tool_calls: [{ index: call?.index ?? 0, function: added }] };
}

function slotsIn(choice: JsonObject, restoresThoughts: boolean): TextSlot[] {
  const index = indexOf(choice);
  const closes = isOver(choice);
  const { delta: given, text } = choice;
  if (typeof text === 'string' && text !== '')
    return [{ channel: `${index}/text`, holder: choice, field: 'text', form: 'text', closes }];
  const delta = objectOf(given);
  const slots: TextSlot[] = [];
  const take = (holder: unknown, field: string, name: string, form: TextSlot['form'], last = closes) => {
    if (isObject(holder) && typeof holder[field] === 'string' && holder[field] !== '')
      slots.push({ channel: `${index}/${name}`, holder, field, form, closes: last });
  };
  const calls = listOf(delta.tool_calls).map(objectOf);
  const calling = closes || calls.length > 0;
  const saying = typeof delta.content === 'string' && delta.content !== '';
  for (const name of THOUGHT) take(delta, name, name, restoresThoughts ? 'text' : 'kept', calling || saying);
  for (const name of SAID) take(delta, name, name, 'text', calling);
  take(delta.audio, 'transcript', 'transcript', 'text');
  take(delta.function_call, 'arguments', 'call/function', 'json');
  for (const [at, call] of calls.entries())
    take(call.function, 'arguments', `call/${numberOf(call.index) ?? at}`, 'json');
  return slots;
}

function isOver({ finish_reason: finish }: JsonObject): boolean {
  return finish !== null && finish !== undefined;
}

function saysSomething({ delta: given }: JsonObject): boolean {
  const delta = objectOf(given);
  return (
    [...SAID, ...THOUGHT].some((name) => typeof delta[name] === 'string' && delta[name] !== '') ||
    listOf(delta.tool_calls).length > 0 ||
    listOf(delta.thinking_blocks).length > 0 ||
    listOf(delta.parts).length > 0
  );
}

function indexOf({ index }: JsonObject): number {
  return numberOf(index) ?? 0;
}
