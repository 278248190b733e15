/** A provider on loopback that answers with recorded bytes, cut into the given pieces. */
import type { Json } from '../read/json.ts';
import { isObject, parseJson } from '../read/json.ts';

/** Its answer. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Where its pieces end; one piece by default. */
  readonly cuts?: readonly number[];
  /** The number of bytes after which it ends, whatever is left. */
  readonly breaksAt?: number;
}

/** The request that it received, parsed without the project's code. */
export interface Asked {
  readonly path: string;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
}

export interface Replay extends AsyncDisposable {
  /** Without a trailing slash. The place follows it in the path. */
  readonly url: string;
  /** Sets the answer of a place, and returns the requests that it receives from then on. */
  readonly set: (place: string, reply: Reply) => void;
  readonly asked: (place: string) => readonly Asked[];
}

/** Headers of a recording that describe its body, or the failure. */
const TOLD = ['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry', 'x-amzn-errortype'];

export function replay(): Replay {
  const replies = new Map<string, Reply>();
  const asked = new Map<string, Asked[]>();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const [, place = ''] = pathname.split('/');
      const text = await request.text();
      const body = parseJson(text);
      const path = pathname.slice(place.length + 1) + search;
      asked.get(place)?.push({ path, headers: request.headers, text, body: isObject(body) ? body : {} });
      const reply = replies.get(place);
      return reply ? answer(reply) : new Response('nothing is set', { status: 500 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    set(place, reply) {
      replies.set(place, reply);
      asked.set(place, []);
    },
    asked: (place) => asked.get(place) ?? [],
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function answer({ status, headers, body, cuts = [], breaksAt }: Reply): Response {
  const told = new Headers();
  for (const name of TOLD) {
    const value = headers.get(name);
    if (value !== null) told.set(name, value);
  }
  const end = breaksAt ?? body.length;
  if (cuts.length === 0 && breaksAt === undefined) return new Response(body, { status, headers: told });
  const ends = [...cuts.filter((cut) => cut > 0 && cut < end), end];
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = ends.shift();
      if (next === undefined) return controller.close();
      controller.enqueue(body.slice(at, next));
      at = next;
      // Each piece is written separately.
      await Bun.sleep(0);
    },
  });
  return new Response(stream, { status, headers: told });
}
