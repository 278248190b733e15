/** A request as the server received it. */
export interface Received {
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly text: string;
}

/** Answers a request. @param count the number of requests so far, including this one */
export type Script = (asked: Received, count: number) => Response | Promise<Response>;

/** A scripted provider on a real socket: it answers as scripted and records its requests. */
export interface Upstream extends AsyncDisposable {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  readonly asked: Received[];
}

/** Starts a server on a free port of this machine that answers by a script. */
export function upstream(script: Script): Upstream {
  const asked: Received[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const body = new Uint8Array(await request.arrayBuffer());
      const { pathname, search } = new URL(request.url);
      const seen = {
        path: pathname + search,
        headers: request.headers,
        body,
        text: new TextDecoder().decode(body),
      };
      asked.push(seen);
      return await script(seen, asked.length);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A chat completion in OpenAI's format. */
export function completion(content: string, extra: object = {}): Response {
  return Response.json({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ...extra,
  });
}

/** The events of a chat stream as text. */
export function chatStream(pieces: readonly string[], ending: string = 'data: [DONE]\n\n'): string {
  const chunk = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const content = pieces.map((piece) => chunk({ content: piece }, null)).join('');
  const stop = ending === '' ? '' : chunk({}, 'stop');
  return chunk({ role: 'assistant', content: '' }, null) + content + stop + ending;
}

/** Bytes as a stream, split into pieces of the given sizes. */
export function pieces(
  bytes: Uint8Array,
  sizes: readonly number[],
  gapMs: number = 0,
): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.length) return controller.close();
      if (gapMs > 0) await Bun.sleep(gapMs);
      const size = sizes[turn++ % sizes.length]!;
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

/** A response of server-sent events. */
export function sse(text: string | ReadableStream<Uint8Array>, headers: object = {}): Response {
  return new Response(text, { headers: { 'content-type': 'text/event-stream', ...headers } });
}
