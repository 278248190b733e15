/**
 * The forms in which a client receives the events of a stream: as server-sent events, as the members of one JSON list,
 * which Gemini returns by default, or as lines of JSON, as in Ollama's API. Within the proxy all of them are
 * server-sent events.
 */
import { SseReader } from './sse.ts';

export type StreamForm = 'events' | 'list' | 'lines';

/** The content type of each form. */
export const FORM_TYPES = {
  events: 'text/event-stream',
  list: 'application/json',
  lines: 'application/x-ndjson',
} as const satisfies Record<StreamForm, string>;

/** What keeps a silent stream alive: only white space is allowed between JSON values, and lines must not be empty. */
const KEEP_ALIVE = {
  events: ': keep-alive\n\n',
  list: ' ',
  lines: ' ',
} as const satisfies Record<StreamForm, string>;

/** How much of a stream shows whether its events have ids, bytes. */
const SHOWN = 1024;
const LINE_FEED = 0x0a;
const ID = [...'id:'].map((letter) => letter.charCodeAt(0));

/**
 * What keeps this stream alive. Once an event had an id, the SDKs in Python take each blank line for an event, and fail
 * at its empty data: the comment has none then. Elsewhere it has one, for clients that only look at blank lines.
 * @param begun the first bytes of the stream
 * @see https://github.com/openai/openai-python/issues/2722
 */
export function keepAlive(form: StreamForm, begun: Uint8Array | undefined): string {
  return form === 'events' && begun && hasIds(begun) ? ': keep-alive\n' : KEEP_ALIVE[form];
}

function hasIds(begun: Uint8Array): boolean {
  const end = Math.min(begun.length, SHOWN);
  for (let line = 0, next = 0; line < end && next >= 0; line = next + 1) {
    if (ID.every((byte, at) => begun[line + at] === byte)) return true;
    next = begun.indexOf(LINE_FEED, line);
  }
  return false;
}

const encoder = new TextEncoder();

/** Converts complete server-sent events to another form. Comments are dropped. */
export class Reforming {
  readonly #list: boolean;
  readonly #events = new SseReader();
  #count = 0;

  constructor(form: Exclude<StreamForm, 'events'>) {
    this.#list = form === 'list';
  }

  push(events: Uint8Array): Uint8Array<ArrayBuffer> {
    let text = '';
    for (const { data } of this.#events.push(events)) text += this.#written(data);
    return encoder.encode(text);
  }

  /** Called at the end of the answer, however it ended. */
  end(): Uint8Array<ArrayBuffer> {
    if (!this.#list) return new Uint8Array();
    return encoder.encode(this.#count === 0 ? '[]\n' : '\n]\n');
  }

  /** A JSON list may have line breaks between its values, whereas a line of JSON must have none. */
  #written(data: string): string {
    this.#count += 1;
    if (!this.#list) return `${data.replaceAll('\n', ' ')}\n`;
    return this.#count === 1 ? `[${data}` : `,\r\n${data}`;
  }
}

/** All events of an answer in a form. */
export function reformed(events: Uint8Array<ArrayBuffer>, form: StreamForm): Uint8Array<ArrayBuffer> {
  if (form === 'events') return events;
  const reforming = new Reforming(form);
  const [all, end] = [reforming.push(events), reforming.end()];
  const whole = new Uint8Array(all.length + end.length);
  whole.set(all);
  whole.set(end, all.length);
  return whole;
}
