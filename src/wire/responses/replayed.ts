/** Replays a complete response as events, for clients that stream a stored one. */
import type { JsonObject } from '../json.ts';
import { listOf, objectOf, stringOf } from '../json.ts';

type Event = JsonObject & { readonly type: string };

/** The events that this response would have been streamed as, each a text, numbered from 0. */
export function replayedEvents(response: JsonObject): string[] {
  const begun = { ...response, status: 'in_progress', output: [], usage: null, completed_at: null };
  const events: Event[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...listOf(response.output).flatMap((item, place) => itemEvents(objectOf(item), place)),
    lastEvent(response),
  ];
  return events.map((event, number) => eventText({ ...event, sequence_number: number }));
}

/** The final event. */
export function lastEvent(response: JsonObject): Event {
  const status = stringOf(response.status) ?? 'completed';
  return { type: `response.${ENDINGS[status] ?? 'completed'}`, response };
}

/** The names of final events that differ from the status; clients know none for a cancelled response. */
const ENDINGS: Readonly<Record<string, string>> = {
  completed: 'completed',
  incomplete: 'incomplete',
  failed: 'failed',
  cancelled: 'incomplete',
};

export function eventText(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function itemEvents(item: JsonObject, output_index: number): Event[] {
  const at = { item_id: item.id, output_index };
  const events = [
    ...listOf(item.content).flatMap((part, index) =>
      contentEvents(objectOf(part), { ...at, content_index: index }),
    ),
    ...listOf(item.summary).flatMap((part, index) =>
      summaryEvents(objectOf(part), { ...at, summary_index: index }),
    ),
    ...callEvents(item, at),
  ];
  return [
    { type: 'response.output_item.added', output_index, item: begunItem(item) },
    ...events,
    { type: 'response.output_item.done', output_index, item },
  ];
}

/** An item before any of its content. */
function begunItem(item: JsonObject): JsonObject {
  return {
    ...item,
    ...(item.status === undefined ? {} : { status: 'in_progress' }),
    ...(Array.isArray(item.content) ? { content: [] } : {}),
    ...(Array.isArray(item.summary) ? { summary: [] } : {}),
    ...(typeof item.arguments === 'string' ? { arguments: '' } : {}),
    ...(item.type === 'custom_tool_call' ? { input: '' } : {}),
  };
}

function contentEvents(part: JsonObject, at: JsonObject): Event[] {
  const added = (empty: JsonObject): Event => ({ type: 'response.content_part.added', ...at, part: empty });
  const done: Event = { type: 'response.content_part.done', ...at, part };
  if (part.type === 'output_text') {
    const { text, annotations, logprobs } = part;
    const likely = { logprobs: listOf(logprobs) };
    return [
      added({ ...part, text: '', annotations: [], ...likely }),
      { type: 'response.output_text.delta', ...at, delta: text, ...likely },
      ...listOf(annotations).map((annotation, annotation_index) => ({
        type: 'response.output_text.annotation.added',
        ...at,
        annotation_index,
        annotation,
      })),
      { type: 'response.output_text.done', ...at, text, ...likely },
      done,
    ];
  }
  if (part.type !== 'refusal') return [added(part), done];
  const { refusal } = part;
  return [
    added({ ...part, refusal: '' }),
    { type: 'response.refusal.delta', ...at, delta: refusal },
    { type: 'response.refusal.done', ...at, refusal },
    done,
  ];
}

function summaryEvents(part: JsonObject, at: JsonObject): Event[] {
  const { text } = part;
  return [
    { type: 'response.reasoning_summary_part.added', ...at, part: { ...part, text: '' } },
    { type: 'response.reasoning_summary_text.delta', ...at, delta: text },
    { type: 'response.reasoning_summary_text.done', ...at, text },
    { type: 'response.reasoning_summary_part.done', ...at, part },
  ];
}

function callEvents(item: JsonObject, at: JsonObject): Event[] {
  if (item.type === 'function_call') {
    const { name, arguments: args } = item;
    return [
      { type: 'response.function_call_arguments.delta', ...at, delta: args },
      { type: 'response.function_call_arguments.done', ...at, name, arguments: args },
    ];
  }
  if (item.type !== 'custom_tool_call') return [];
  const { input } = item;
  return [
    { type: 'response.custom_tool_call_input.delta', ...at, delta: input },
    { type: 'response.custom_tool_call_input.done', ...at, input },
  ];
}
