import { Abort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { UpstreamReply } from '../base.ts';
import type { MockFault } from './fault.ts';
import { sleep } from '../../clock.ts';
import { listOf, objectOf } from '../../wire/json.ts';

type Body = NonNullable<UpstreamReply['body']>;

/** Without a pace, events are combined up to this size. */
const CHUNK_BYTES = 16 * 1024;

const ERROR = {
  error: { message: 'Mock fault: error event', type: 'server_error', param: null, code: 'mock_fault' },
};

export interface StreamOptions {
  readonly fault: MockFault | undefined;
  /** As fast as possible by default. */
  readonly tokensPerSecond: number | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Events as an SSE body, with the given pace and fault. Produced only as fast as it is read. */
export function eventStream(events: Iterable<JsonObject>, options: StreamOptions): Body {
  const encoder = new TextEncoder();
  const { fault, tokensPerSecond, clock, signal } = options;
  const abort = Abort.following(signal);
  const lines = faulty(events, fault);
  const paced = tokensPerSecond === undefined ? undefined : 1000 / tokensPerSecond;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      let text = '';
      for (;;) {
        const { value, done } = lines.next();
        if (done || value.end === 'cut') {
          if (text !== '') controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        if (value.end === 'stall') {
          if (text !== '') return controller.enqueue(encoder.encode(text));
          return await untilAborted(signal);
        }
        text += value.text;
        if (paced !== undefined && value.content) {
          controller.enqueue(encoder.encode(text));
          return await sleep(clock, paced, abort);
        }
        if (text.length >= CHUNK_BYTES) return controller.enqueue(encoder.encode(text));
      }
    },
  });
}

interface Line {
  readonly text: string;
  readonly content: boolean;
  readonly end?: 'cut' | 'stall';
}

/** The lines of the stream, with the fault at its place. A stall lasts until the reader gives up. */
function* faulty(events: Iterable<JsonObject>, fault: MockFault | undefined): Generator<Line> {
  let seen = 0;
  let met = false;
  for (const event of events) {
    const content = hasContent(event);
    if (fault && !met && content && seen >= fault.after) {
      met = true;
      if (fault.kind === 'cut') return void (yield { text: '', content: false, end: 'cut' });
      while (fault.kind === 'stall') yield { text: '', content: false, end: 'stall' };
      if (fault.kind === 'malformed') yield { text: 'data: {"broken": \n\n', content: false };
      if (fault.kind === 'error_event')
        return void (yield { text: `data: ${JSON.stringify(ERROR)}\n\n`, content: false });
    }
    if (content) seen += 1;
    yield { text: `data: ${JSON.stringify(event)}\n\n`, content };
  }
  yield { text: 'data: [DONE]\n\n', content: false };
}

function hasContent(event: JsonObject): boolean {
  const choice = objectOf(listOf(event.choices)[0]);
  const { content, reasoning_content, tool_calls } = objectOf(choice.delta);
  return Boolean(content || reasoning_content || tool_calls || choice.text);
}

/** A whole body, or what a fault leaves of it. */
export function wholeBody(text: string, fault: MockFault | undefined, signal: AbortSignal): Body {
  const bytes = new TextEncoder().encode(bodyText(text, fault));
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      controller.enqueue(bytes);
      if (fault?.kind === 'stall') await untilAborted(signal);
      if (fault?.kind === 'cut')
        return controller.error(Object.assign(new Error('mock fault'), { code: 'ECONNRESET' }));
      controller.close();
    },
  });
}

function bodyText(text: string, fault: MockFault | undefined): string {
  if (fault?.kind === 'error_event') return JSON.stringify(ERROR);
  const damaged = fault?.kind === 'malformed' || fault?.kind === 'cut' || fault?.kind === 'stall';
  return damaged ? text.slice(0, Math.ceil(text.length / 2)) : text;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
