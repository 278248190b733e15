/**
 * A provider of OpenAI's chat that costs as little as possible, so that the proxy before it is the limit. The model
 * says how it answers; the names are in requests.ts.
 */
import type { Socket } from 'bun';
import { MessageReader } from './http-message.ts';
import { Outbox } from './outbox.ts';

const PACED_CHUNKS = 100;
const PACE_MS = 10;
const SLOW_MS = 100;

interface Connection {
  readonly outbox: Outbox;
  readonly reader: MessageReader;
}

/** A stream that is under way. */
interface Paced {
  readonly send: (bytes: Buffer) => void;
  left: number;
  dueMs: number;
}

const completion = (words: number) =>
  whole(
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1,
      model: 'bench',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'word '.repeat(words) }, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 200, completion_tokens: words, total_tokens: 200 + words },
    }),
  );

const ANSWER = completion(250);
const LARGE_ANSWER = completion(20_000);
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
const FIRST = Buffer.from(STREAM_HEAD + chunked(event({ role: 'assistant', content: 'word ' }, null)));
const NEXT = Buffer.from(chunked(event({ content: 'word ' }, null)));
const LAST = Buffer.from(`${chunked(`${event({}, 'stop')}data: [DONE]\n\n`)}0\r\n\r\n`);

const streams = new Map<Socket<Connection>, Paced>();
setInterval(pace, 1);

const { port } = Bun.listen<Connection>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = connection(socket);
    },
    data: (socket, bytes) => socket.data.reader.read(bytes),
    drain: (socket) => socket.data.outbox.drain(socket),
    close: (socket) => void streams.delete(socket),
    error: (socket) => void streams.delete(socket),
  },
});
process.stdout.write(`http://127.0.0.1:${port}\n`);

function connection(socket: Socket<Connection>): Connection {
  const outbox = new Outbox();
  let parts: Buffer[] = [];
  const reader = new MessageReader({
    head: () => undefined,
    // The socket may use its memory again.
    body: (part) => void parts.push(Buffer.from(part)),
    end: () => {
      const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [];
      answer(socket, body);
    },
  });
  return { outbox, reader };
}

function answer(socket: Socket<Connection>, body: Buffer): void {
  const send = (bytes: Buffer) => socket.data.outbox.write(socket, bytes);
  switch (modelOf(body)) {
    case 'bench-large':
      return send(LARGE_ANSWER);
    case 'bench-slow':
      return void setTimeout(() => socket.readyState > 0 && send(ANSWER), SLOW_MS);
    case 'bench-brief':
      send(FIRST);
      return void setTimeout(() => socket.readyState > 0 && send(LAST), 1);
    case 'bench-paced':
      send(FIRST);
      // Streams that begin together must not send together for ever.
      return void streams.set(socket, {
        send,
        left: PACED_CHUNKS - 1,
        dueMs: performance.now() + PACE_MS * (0.5 + Math.random()),
      });
    default:
      return send(ANSWER);
  }
}

function pace(): void {
  const now = performance.now();
  for (const [socket, stream] of streams) {
    if (stream.dueMs > now) continue;
    stream.dueMs += PACE_MS;
    stream.left -= 1;
    stream.send(stream.left < 0 ? LAST : NEXT);
    if (stream.left < 0) streams.delete(socket);
  }
}

function modelOf(body: Buffer): string | undefined {
  const at = body.indexOf('"model"');
  return /"model": ?"([\w-]+)"/.exec(body.toString('latin1', at, at + 50))?.[1];
}

function whole(body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

function event(delta: object, finish: string | null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012', object: 'chat.completion.chunk', created: 1_795_428_000, model: 'bench', service_tier: 'default', system_fingerprint: 'fp_0123456789', choices })}\n\n`;
}

function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
