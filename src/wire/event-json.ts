import type { Steps } from '../turns.ts';
import type { SseEvent } from './sse.ts';
import { ANSWER_BOUNDS, parseJson } from './json.ts';
import { parseInSteps } from './json-steps.ts';

/** Longer data is parsed in steps, characters. */
const LONG = 128 * 1024;

/** An event whose data is parsed. */
interface ReadEvent extends SseEvent {
  /** `undefined` when it is not JSON, or too complex. */
  readonly value: unknown;
}

/** Whether some of the events cannot be parsed at once. */
export function areLong(events: readonly SseEvent[]): boolean {
  return events.some(isLong);
}

function isLong({ data }: SseEvent): boolean {
  return data.length > LONG;
}

/** The events, with long data parsed in steps of a few milliseconds. */
export function* readAhead(events: readonly SseEvent[]): Steps<SseEvent[]> {
  const read: SseEvent[] = [];
  for (const event of events) read.push(isLong(event) ? yield* readLong(event) : event);
  return read;
}

function* readLong(event: SseEvent): Steps<ReadEvent> {
  try {
    return { ...event, value: yield* parseInSteps(event.data, ANSWER_BOUNDS) };
  } catch {
    return { ...event, value: undefined };
  } finally {
    yield;
  }
}

/** The event as one whose data is not JSON. */
export function unreadable(event: SseEvent): ReadEvent {
  return { ...event, value: undefined };
}

/** The parsed data of an event; `undefined` when it is not JSON, or too complex. */
export function eventJson(event: SseEvent): unknown {
  return 'value' in event ? event.value : parseJson(event.data);
}
