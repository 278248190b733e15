/** Reads an answer as clients of a protocol do. */
import type { JsonObject } from '../../../src/wire/json.ts';
import type { Answer, Speech, Told } from './speech.ts';
import { ANSWER_BOUNDS, isObject, parseJson } from '../../../src/wire/json.ts';

export interface Read extends Answer {
  /** Events of a stream; the terminator is left out if it is not JSON. */
  readonly events: readonly JsonObject[];
  /** How often the stream sent its terminator. */
  readonly done: number;
  /** Whether it did so before any error. */
  readonly ended: boolean;
  /** Data of events that were not a JSON object, or whose name was not their type. */
  readonly garbage: readonly string[];
  /** The first error, in the body or in an event. */
  readonly error: Told | undefined;
}

export function readWhole(text: string, speech: Speech): Read {
  const body = parseJson(text, ANSWER_BOUNDS);
  const known = isObject(body);
  return {
    events: [],
    done: 0,
    ended: false,
    garbage: known ? [] : [text],
    ...speech.whole(known ? body : {}),
    error: known ? speech.error(body) : undefined,
  };
}

export function readStream(text: string, speech: Speech): Read {
  const events: JsonObject[] = [];
  const garbage: string[] = [];
  let done = 0;
  let ended = false;
  let error: Told | undefined;
  for (const { name, data } of framesOf(text)) {
    const value = parseJson(data, ANSWER_BOUNDS);
    const event = isObject(value) && (!speech.named || name === value.type) ? value : undefined;
    if (event) error ??= speech.error(event);
    if (event) events.push(event);
    if (speech.ends(data, event)) {
      done += 1;
      ended ||= error === undefined;
    } else if (!event) garbage.push(data);
  }
  return { events, done, ended, garbage, ...speech.streamed(events), error };
}

/**
 * The same for a stream without an end marker: it is finished if it has a finish reason and no error follows.
 * @param complete whether the body ended properly
 */
export function endedByItself(read: Read, complete: boolean): Read {
  const ended = read.done > 0 && !read.error && complete;
  return { ...read, ended, done: ended ? 1 : 0 };
}

/** Events with their names. A last event without its blank line counts too, since some clients accept it. */
function framesOf(text: string): { name: string | undefined; data: string }[] {
  return text
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => ({
      name: valuesOf(lines, 'event')[0],
      data: lines.some((line) => line.startsWith('data:'))
        ? valuesOf(lines, 'data').join('\n')
        : lines.join('\n'),
    }));
}

function valuesOf(lines: readonly string[], field: string): string[] {
  const start = `${field}:`;
  return lines
    .filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length).replace(/^ /, ''));
}
