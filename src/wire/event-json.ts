import type { Steps } from '../turns.ts';
import type { SseEvent } from './sse.ts';
import { ANSWER_BOUNDS, parseJson } from './json.ts';
import { parseInSteps } from './json-steps.ts';

/** Data of more characters is read in steps. */
const LONG = 128 * 1024;

/** An event whose data is read already. */
interface ReadEvent extends SseEvent {
  /** `undefined` when it is no JSON, or too complex. */
  readonly value: unknown;
}

/** Whether there are events among them that cannot be read at once. */
export function areLong(events: readonly SseEvent[]): boolean {
  return events.some(isLong);
}

function isLong({ data }: SseEvent): boolean {
  return data.length > LONG;
}

/** The events, with the data of long ones read, in steps of a few milliseconds. */
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

/** What an event holds; `undefined` when it is no JSON, or too complex. */
export function eventJson(event: SseEvent): unknown {
  return 'value' in event ? event.value : parseJson(event.data);
}
