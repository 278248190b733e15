import type { SimRequest } from './book.ts';
import type { VirtualClock } from './clock.ts';
import { CLASSES } from './classes.ts';

/** What a client saw of its answer. */
export interface Seen {
  status: number | undefined;
  body: string;
  /** When the status line arrived, and when the body ended or the client disconnected; on the monotonic clock. */
  headersMs: number | undefined;
  endedMs: number;
  /** The error that broke the body, or the reason why there was no answer. */
  broken: unknown;
}

export type Serve = (request: Request) => Response | Promise<Response>;

const PROMPT = { tokens: 512, expensive: 32_000 };

/** Sends one request and reads its answer to the end, or until the client disconnects. */
export async function visit(request: SimRequest, clock: VirtualClock, serve: Serve): Promise<Seen> {
  const gone = new AbortController();
  const seen: Seen = { status: undefined, body: '', headersMs: undefined, endedMs: 0, broken: undefined };
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const { promise: leaving, resolve: leave } = Promise.withResolvers<'left'>();
  const stay =
    request.leavesMs === undefined
      ? () => undefined
      : clock.after(request.leavesMs, () => {
          request.left = true;
          gone.abort();
          reader?.cancel().catch(() => clock.stir());
          leave('left');
        });
  const read = async (): Promise<void> => {
    const response = await serve(toRequest(request, gone.signal));
    seen.status = response.status;
    request.answeredMs = seen.headersMs = clock.monotonic();
    if (request.left) return void (await response.body?.cancel());
    if (!response.body) return;
    reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const decoder = new TextDecoder();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      clock.stir();
      seen.body += decoder.decode(next.value, { stream: true });
      if (request.slow) await clock.sleep(3_000);
    }
  };
  const ended = read().catch((error: unknown) => (seen.broken = error ?? 'broken'));
  await Promise.race([ended, leaving]);
  stay();
  seen.endedMs = clock.monotonic();
  return seen;
}

function toRequest(request: SimRequest, signal: AbortSignal): Request {
  const { id, asked, deadlineMs } = request;
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-request-id': id };
  if (deadlineMs !== undefined) headers['x-request-timeout'] = `${deadlineMs}ms`;
  const url = `http://proxy.test${CLASSES[asked.name].path}`;
  return new Request(url, { method: 'POST', headers, body: bodyOf(request), signal });
}

function bodyOf({ id, asked, route, stream }: SimRequest): string {
  const model = route.name;
  const tokens = asked.expensive ? PROMPT.expensive : PROMPT.tokens;
  const content = asked.long ? `#${id}# ${'Go on. '.repeat(20)}` : `#${id}# Tell me a tale.`;
  const messages = [{ role: 'user', content }];
  switch (asked.name) {
    case 'chat':
    case 'chat streamed':
      return JSON.stringify({ model, messages, max_tokens: tokens, stream });
    case 'messages':
    case 'messages streamed':
      return JSON.stringify({ model, messages, max_tokens: tokens, stream });
    case 'responses':
    case 'responses streamed':
      return JSON.stringify({ model, input: content, max_output_tokens: tokens, stream });
    case 'count':
      return JSON.stringify({ model, messages });
  }
}
