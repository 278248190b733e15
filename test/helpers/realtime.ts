/** A scripted provider of realtime sessions on a real socket, and a client that records its events. */
import type { Server, ServerWebSocket } from 'bun';
import { until } from './until.ts';

/** A session as the provider sees it. */
export interface Held {
  readonly path: string;
  readonly headers: Headers;
  /** The client's messages. */
  readonly messages: (string | Buffer)[];
  /** How it ended; `undefined` while it is open. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly socket: ServerWebSocket<Held>;
}

export interface SessionScript {
  /** The answer that rejects the handshake; `undefined` to accept it. */
  readonly refuse?: (request: Request, count: number) => Response | Promise<Response> | undefined;
  readonly opened?: (session: Held) => void;
  readonly message?: (session: Held, message: string | Buffer) => void;
}

export interface SessionUpstream extends AsyncDisposable {
  readonly url: string;
  readonly sessions: Held[];
  /** All handshakes, including rejected ones. */
  readonly asked: { readonly path: string; readonly headers: Headers }[];
}

/** @param tls the certificate of a TLS server */
export function sessionUpstream(
  script: SessionScript,
  tls?: { readonly cert: string; readonly key: string },
): SessionUpstream {
  const sessions: Held[] = [];
  const asked: SessionUpstream['asked'] = [];
  const server = Bun.serve<Held>({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    ...(tls ? { tls } : {}),
    async fetch(request: Request, bun: Server<Held>) {
      const { pathname, search } = new URL(request.url);
      asked.push({ path: pathname + search, headers: request.headers });
      const refusal = await script.refuse?.(request, asked.length);
      if (refusal) return refusal;
      const data = { path: pathname + search, headers: request.headers, messages: [], closed: undefined };
      return bun.upgrade(request, { data: data as unknown as Held })
        ? undefined
        : new Response('no WebSocket', { status: 400 });
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      backpressureLimit: 64 * 1024 * 1024,
      idleTimeout: 0,
      open(socket) {
        Object.assign(socket.data, { socket });
        sessions.push(socket.data);
        script.opened?.(socket.data);
      },
      message({ data }, message) {
        data.messages.push(message);
        script.message?.(data, message);
      },
      close({ data }, code, reason) {
        data.closed = { code, reason };
      },
    },
  });
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`,
    sessions,
    asked,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

export interface Told {
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** A client's session. */
export interface Caller extends Disposable {
  readonly socket: WebSocket;
  readonly told: Told[];
  readonly binary: Uint8Array[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(event: object | string): void;
  /** Waits for an event of this type. */
  heard(type: string): Promise<Told>;
}

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

/** Opens a session; rejects if the handshake is rejected. */
export async function call(url: string, options: CallOptions = {}): Promise<Caller> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    headers: options.headers ?? {},
    protocols: options.protocols ?? [],
  } as never);
  socket.binaryType = 'arraybuffer';
  const told: Told[] = [];
  const binary: Uint8Array[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  const { promise: opened, resolve: open, reject } = Promise.withResolvers<void>();
  socket.addEventListener('open', () => open());
  socket.addEventListener('error', (event) => reject(new Error((event as ErrorEvent).message)));
  socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') told.push(JSON.parse(data) as Told);
    else binary.push(new Uint8Array(data as ArrayBuffer));
  });
  await opened;
  return {
    socket,
    told,
    binary,
    closed,
    send: (event) => socket.send(typeof event === 'string' ? event : JSON.stringify(event)),
    heard: (type) => until(type, () => told.find((event) => event.type === type)),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Sends a handshake as a plain request, to see the answer that rejects it. */
export function handshake(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
}

export const CREATED = JSON.stringify({ type: 'session.created', event_id: 'e1', session: { id: 's1' } });

/** OpenAI's `response.done`. @param usage overrides the default of ten input and five output tokens */
export function responseDone(text: string, usage: object = {}): string {
  return JSON.stringify({
    type: 'response.done',
    event_id: 'e9',
    response: {
      id: 'r1',
      status: 'completed',
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_audio', transcript: text }] }],
      usage: {
        total_tokens: 15,
        input_tokens: 10,
        output_tokens: 5,
        input_token_details: { text_tokens: 6, audio_tokens: 4, cached_tokens: 0 },
        output_token_details: { text_tokens: 2, audio_tokens: 3 },
        ...usage,
      },
    },
  });
}

/** A provider that sends a greeting, and answers each `response.create` with audio and a transcript. */
export const OPENAI: SessionScript = {
  opened: ({ socket }) => void socket.send(CREATED),
  message({ socket }, message) {
    const { type } = JSON.parse(String(message)) as Told;
    if (type !== 'response.create') return;
    socket.send(JSON.stringify({ type: 'response.created', response: { id: 'r1' } }));
    socket.send(JSON.stringify({ type: 'response.output_audio.delta', delta: 'AAAA' }));
    socket.send(responseDone('Hello there'));
  },
};
