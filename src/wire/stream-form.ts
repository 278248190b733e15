/**
 * How the events of a stream are written down for its client: as server-sent events, as the members of one JSON list, which
 * is what Gemini gives to those who do not ask for events, or as lines of JSON, as Ollama's API has them. Within the proxy all
 * of them are server-sent events.
 */
import { SseReader } from './sse.ts';

export type StreamForm = 'events' | 'list' | 'lines';

/** The type of a body in each form. */
export const FORM_TYPES = {
  events: 'text/event-stream',
  list: 'application/json',
  lines: 'application/x-ndjson',
} as const satisfies Record<StreamForm, string>;

/** What fills a silence: nothing but a blank may stand between values of JSON, and no line may be empty. */
export const KEEP_ALIVE = {
  events: ': keep-alive\n\n',
  list: ' ',
  lines: ' ',
} as const satisfies Record<StreamForm, string>;

const encoder = new TextEncoder();

/** Turns whole server-sent events into another form, as they pass. Comments have no place there. */
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

  /** The answer is at its end, however it ended. */
  end(): Uint8Array<ArrayBuffer> {
    if (!this.#list) return new Uint8Array();
    return encoder.encode(this.#count === 0 ? '[]\n' : '\n]\n');
  }

  /** JSON may have line ends between its values, where a line of it must have none. */
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
