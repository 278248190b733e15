/** Sends one request on its own connection, byte by byte as its case says, and reads the answer as far as it comes. */
import { connect } from 'node:net';
import type { Sending } from './draft-request.ts';

export interface Got {
  /** 0 if no status line arrived. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether the body reached the end that its framing declared. */
  readonly complete: boolean;
  /** Whether the client disconnected before that. */
  readonly left: boolean;
  /** Whether nothing ended it within the time limit. */
  readonly hung: boolean;
  readonly ms: number;
}

const BLANK_LINE = Buffer.from('\r\n\r\n');
const GAP_MS = 2;

/** @param limitMs the time after which it counts as hung */
export async function send(port: number, sending: Sending, limitMs: number): Promise<Got> {
  const began = performance.now();
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const read: Buffer[] = [];
  const { leaves } = sending;
  let size = 0;
  let wanted = 0;
  let left = false;
  let hung = false;
  let closed = false;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  const timer = setTimeout(() => {
    hung = true;
    end();
  }, limitMs);
  const leave = (): void => {
    left = true;
    end();
  };
  socket.on('error', () => end());
  const shut = (): void => {
    closed = true;
    end();
  };
  socket.on('end', shut);
  socket.on('close', shut);
  socket.on('data', (bytes: Buffer) => {
    read.push(bytes);
    size += bytes.length;
    if (leaves && 'read' in leaves && size >= leaves.read) return leave();
    if (size < wanted) return;
    const all = Buffer.concat(read);
    read.splice(0, read.length, all);
    const answer = parse(all, sending.head);
    if (answer.complete) end();
    else wanted = answer.wanted;
  });
  socket.on('connect', () => {
    void (async () => {
      for (const [at, piece] of sending.pieces.entries()) {
        if (at > 0) await Bun.sleep(GAP_MS);
        if (!socket.destroyed) socket.write(piece);
      }
      if (leaves && 'sent' in leaves) {
        await Bun.sleep(GAP_MS);
        leave();
      } else if (leaves?.read === 0) leave();
      else if (sending.halfCloses) socket.end();
    })();
  });
  await over;
  clearTimeout(timer);
  socket.destroy();
  const { status, headers, body, complete, untilClose } = parse(Buffer.concat(read), sending.head);
  const whole = complete || (untilClose && closed);
  return { status, headers, body, complete: whole, left, hung, ms: performance.now() - began };
}

interface Parsed {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly complete: boolean;
  readonly untilClose: boolean;
  /** The number of bytes that must have arrived before it is worth parsing again. */
  readonly wanted: number;
}

/** An HTTP answer, as far as it has arrived. Informational answers such as 100 are skipped. */
function parse(bytes: Buffer, head: boolean): Parsed {
  const end = bytes.indexOf(BLANK_LINE);
  const none = {
    status: 0,
    headers: new Map<string, string>(),
    body: Buffer.alloc(0),
    complete: false,
    untilClose: false,
  };
  if (end < 0) return { ...none, wanted: bytes.length + 1 };
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? 0);
  const rest = bytes.subarray(end + BLANK_LINE.length);
  if (status >= 100 && status < 200 && status !== 101) return parse(rest, head);
  const headers = new Map(
    lines.map((each) => [
      each.slice(0, each.indexOf(':')).toLowerCase(),
      each.slice(each.indexOf(':') + 1).trim(),
    ]),
  );
  const told = { status, headers, untilClose: false };
  if (head || status === 204 || status === 304)
    return { ...told, body: Buffer.alloc(0), complete: true, wanted: 0 };
  if (headers.get('transfer-encoding') === 'chunked')
    return { ...told, ...unchunked(rest), wanted: bytes.length + 1 };
  const length = headers.get('content-length');
  if (length === undefined)
    return { ...told, body: rest, complete: false, untilClose: true, wanted: bytes.length + 1 };
  const size = Number(length);
  return { ...told, body: rest.subarray(0, size), complete: rest.length >= size, wanted: end + 4 + size };
}

function unchunked(bytes: Buffer): { body: Buffer; complete: boolean } {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(pieces), complete: false };
    if (size === 0) return { body: Buffer.concat(pieces), complete: bytes.length >= line + 4 };
    pieces.push(bytes.subarray(line + 2, Math.min(bytes.length, line + 2 + size)));
    if (bytes.length < line + 2 + size + 2) return { body: Buffer.concat(pieces), complete: false };
    at = line + 2 + size + 2;
  }
}
