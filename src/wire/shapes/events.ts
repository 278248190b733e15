/** The required structure of a stream event, by protocol. */
import type { JsonObject } from '../json.ts';
import type { ProtocolName } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Shape } from './shape.ts';
import { errorIn } from '../error-event.ts';
import { eventJson } from '../event-json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { item, step, streamedCandidates, streamedPart } from './answers.ts';
import { both, either, fields, kinds, list, maybe, object, text, word } from './shape.ts';

/**
 * `sound`: it can be read. `odd`: it cannot, but the rest of the answer can be read without it. `broken`: the rest
 * cannot be read either, because the event starts, or is a piece of, something that is only useful as a whole.
 */
export type Verdict = 'sound' | 'odd' | 'broken';

/** @param name the event's `event:` field, if the protocol uses it */
export type EventJudge = (event: JsonObject, name?: string) => Verdict;

const callDeltas = maybe(
  list(fields({ function: maybe(fields({ name: maybe(text), arguments: maybe(either(text, object)) })) })),
);
const chatContent = maybe(either(text, list(object)));
const chatDelta = fields({ content: chatContent, tool_calls: callDeltas, refusal: maybe(text) });
/** Some servers send a message in place of the delta, and completions their text. */
const chatChoice = fields({
  delta: maybe(chatDelta),
  message: maybe(object),
  text: maybe(text),
  finish_reason: maybe(text),
});
const chatChunk = fields({ choices: maybe(list(chatChoice)) });

const chat: EventJudge = (event) => {
  if (chatChunk(event) === undefined) return 'sound';
  const choices = listOf(event.choices).map(objectOf);
  if (choices.some(({ delta }) => callDeltas(objectOf(delta).tool_calls) !== undefined)) return 'broken';
  return choices.some(({ finish_reason }) => stringOf(finish_reason)) ? 'sound' : 'odd';
};

/** Events by type: the required fields, and the consequence if they are missing. */
type Table = ReadonlyMap<string, { readonly shape: Shape; readonly otherwise: Verdict }>;

function table(rows: Readonly<Record<string, readonly [Shape, Verdict]>>): Table {
  return new Map(Object.entries(rows).map(([type, [shape, otherwise]]) => [type, { shape, otherwise }]));
}

function judged(rows: Table, type: string | undefined, event: JsonObject): Verdict {
  const row = type === undefined ? undefined : rows.get(type);
  return row === undefined || row.shape(event) === undefined ? 'sound' : row.otherwise;
}

const blockBegin = kinds('type', {
  tool_use: fields({ name: word, input: maybe(object) }),
  text: fields({ text: maybe(text) }),
  thinking: fields({ thinking: maybe(text) }),
});
const MESSAGES = table({
  message_start: [fields({ message: object }), 'broken'],
  content_block_start: [fields({ content_block: blockBegin }), 'broken'],
  content_block_delta: [fields({ delta: fields({ text: maybe(text), thinking: maybe(text) }) }), 'odd'],
  message_delta: [fields({ delta: maybe(fields({ stop_reason: maybe(text) })) }), 'odd'],
});
const fragment = kinds('type', { input_json_delta: fields({ partial_json: text }) });

const messages: EventJudge = (event, name) => {
  const type = stringOf(event.type) ?? name;
  if (type === 'content_block_delta' && isObject(event.delta) && fragment(event.delta) !== undefined)
    return 'broken';
  return judged(MESSAGES, type, event);
};

const itemBegin = both(
  fields({ type: text }),
  kinds('type', { function_call: fields({ name: word }), custom_tool_call: fields({ name: word }) }),
);
const begun = fields({ response: object });
const ended = fields({ response: fields({ output: maybe(list(object)) }) });
const delta = fields({ delta: text });
const RESPONSES = table({
  'response.created': [begun, 'broken'],
  'response.in_progress': [begun, 'odd'],
  'response.completed': [ended, 'broken'],
  'response.incomplete': [ended, 'broken'],
  'response.output_item.added': [fields({ item: itemBegin }), 'broken'],
  'response.output_item.done': [fields({ item }), 'broken'],
  'response.content_part.added': [fields({ part: object }), 'odd'],
  'response.content_part.done': [fields({ part: object }), 'odd'],
  'response.output_text.delta': [delta, 'odd'],
  'response.refusal.delta': [delta, 'odd'],
  'response.reasoning_summary_text.delta': [delta, 'odd'],
  'response.reasoning_text.delta': [delta, 'odd'],
  'response.function_call_arguments.delta': [delta, 'broken'],
  'response.custom_tool_call_input.delta': [delta, 'broken'],
});

const responses: EventJudge = (event, name) => judged(RESPONSES, stringOf(event.type) ?? name, event);

const geminiAnswer = fields({ candidates: maybe(streamedCandidates) });

const gemini: EventJudge = (event) => {
  if (geminiAnswer(event) === undefined) return 'sound';
  const given = listOf(event.candidates).map(objectOf);
  const parts = given.flatMap(({ content }) => listOf(objectOf(content).parts));
  if (parts.some((each) => objectOf(each).functionCall !== undefined && streamedPart(each) !== undefined))
    return 'broken';
  return given.some(({ finishReason }) => stringOf(finishReason)) ? 'sound' : 'odd';
};

const CONVERSE = table({
  contentBlockStart: [fields({ start: maybe(fields({ toolUse: maybe(fields({ name: word })) })) }), 'broken'],
  contentBlockDelta: [
    fields({ delta: fields({ text: maybe(text), reasoningContent: maybe(object) }) }),
    'odd',
  ],
});
const converseFragment = maybe(fields({ input: text }));

const converse: EventJudge = (event, name) => {
  if (name === 'contentBlockDelta' && converseFragment(objectOf(event.delta).toolUse) !== undefined)
    return 'broken';
  return judged(CONVERSE, name, event);
};

const cohereContent = fields({ text: maybe(text), thinking: maybe(text) });
const cohereCall = (shape: Shape): Shape =>
  fields({ delta: fields({ message: fields({ tool_calls: fields({ function: shape }) }) }) });
const COHERE = table({
  'content-start': [fields({ delta: fields({ message: fields({ content: cohereContent }) }) }), 'odd'],
  'content-delta': [fields({ delta: fields({ message: fields({ content: cohereContent }) }) }), 'odd'],
  'tool-plan-delta': [fields({ delta: fields({ message: fields({ tool_plan: text }) }) }), 'odd'],
  'tool-call-start': [cohereCall(fields({ name: word, arguments: maybe(text) })), 'broken'],
  'tool-call-delta': [cohereCall(fields({ arguments: maybe(text) })), 'broken'],
});

const cohere: EventJudge = (event, name) => judged(COHERE, stringOf(event.type) ?? name, event);

const growth = kinds('type', {
  text: fields({ text }),
  arguments_delta: fields({ arguments: maybe(text) }),
  thought_summary: fields({ content: maybe(object) }),
  thought_signature: fields({ signature: maybe(text) }),
});
const INTERACTIONS = table({
  'interaction.created': [fields({ interaction: object }), 'odd'],
  'interaction.completed': [
    fields({ interaction: fields({ status: text, steps: maybe(list(step)) }) }),
    'broken',
  ],
  'step.start': [fields({ step }), 'broken'],
  'step.delta': [fields({ delta: growth }), 'odd'],
});

/** An event of an interaction. If a piece of a call is malformed, so is the call. */
export const judgeInteraction: EventJudge = (event) => {
  const verdict = judged(INTERACTIONS, stringOf(event.event_type), event);
  const ofCall = objectOf(event.delta).type === 'arguments_delta';
  return verdict === 'odd' && ofCall ? 'broken' : verdict;
};

export const EVENT_JUDGES: Readonly<Record<ProtocolName, EventJudge>> = {
  chat,
  messages,
  responses,
  gemini,
  converse,
  cohere,
};

/** The state of a decoder that an unreadable event may change. */
interface Counting {
  malformed: number;
  error: JsonObject | undefined;
  /** Reads the usage beside an error. */
  count?(event: JsonObject): void;
}

/** The error for an answer with an essential event that cannot be read. */
export function brokenEvent(): JsonObject {
  return {
    error: {
      code: 'malformed_response',
      message: 'an event of its stream does not have the shape of the protocol',
    },
  };
}

/**
 * The event's data as a readable JSON object; `undefined` otherwise, in which case it is counted, or becomes the
 * decoder's error if the rest cannot be read without it.
 */
export function readEvent(protocol: ProtocolName, event: SseEvent, reader: Counting): JsonObject | undefined {
  const value = eventJson(event);
  if (isObject(value)) return judgeEvent(protocol, value, reader, event.event) ? value : undefined;
  const error = errorIn(value ?? event.data, event.event);
  if (error) {
    reader.error ??= error;
    return undefined;
  }
  reader.malformed += 1;
  return undefined;
}

/** Whether an event can be read. @param name its `event:` field */
export function judgeEvent(
  protocol: ProtocolName,
  value: JsonObject,
  reader: Counting,
  name?: string,
): boolean {
  // A failed response is still read for its usage.
  const error =
    protocol === 'responses' && value.type === 'response.failed' ? undefined : errorIn(value, name);
  if (error) {
    reader.error ??= error;
    reader.count?.(value);
    return false;
  }
  const verdict = EVENT_JUDGES[protocol](value, name);
  if (verdict === 'odd') reader.malformed += 1;
  else if (verdict === 'broken') reader.error ??= brokenEvent();
  return verdict === 'sound';
}
