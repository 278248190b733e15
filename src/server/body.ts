import { availableParallelism } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Turns } from '../turns.ts';
import type { Encoding } from '../wire/encoding.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Client } from './client.ts';
import type { Buffered } from './buffered.ts';
import type { ServerBindings, ServerContext } from './context.ts';
import { ProxyError } from '../errors.ts';
import { Blocks, concatInSteps } from '../wire/bytes.ts';
import { encodingOf, inflate, InflatedTooLarge } from '../wire/encoding.ts';
import { Gate } from './gate.ts';
import { addressOf } from './network.ts';

export interface BodyLimits {
  readonly headers: HeaderMap;
  /** The limits on the body as sent and as decompressed, bytes. */
  readonly maxBytes: number;
  /** How long the client may take to send it, milliseconds. */
  readonly withinMs: number;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly buffered: Buffered;
  /** The owner of the memory: the name of the client's key. */
  readonly key: string | null;
  /** The owner if there are no keys; not determined for small bodies. */
  readonly network: () => string | undefined;
}

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Releases its memory. */
  readonly free: () => void;
}

/** A request as received. */
export interface Called {
  readonly request: Request;
  readonly headers: HeaderMap;
  readonly server: ServerBindings['server'];
}

/** The limits for clients. */
export function bodyLimits(
  { limits, clock, turns, buffered }: Pick<ServerContext, 'limits' | 'clock' | 'turns' | 'buffered'>,
  { request, headers, server }: Called,
  { key }: Pick<Client, 'key'>,
): BodyLimits {
  const network = () => addressOf(request, server);
  const { max_body: maxBytes, body_timeout: withinMs } = limits;
  return { headers, maxBytes, withinMs, clock, turns, buffered, key, network };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Bodies up to this announced length are read at once, which costs half as much as reading chunks, bytes. */
const SHORT = 2 * 1024 * 1024;

/** Bodies up to this length are not attributed to an address: their number is limited by limits.max_concurrent. */
const SMALL = 64 * 1024;

/**
 * How many bodies are decompressed at a time: each takes up to 20 MB beside its result, and a thread, and must leave a
 * core for the event loop.
 */
const inflating = new Gate(Math.max(1, Math.min(4, availableParallelism() - 1)));

/**
 * The decompressed request body. Its bytes are counted as they arrive: an announced length only makes an early refusal
 * possible.
 * @throws ProxyError `too_large`, `unsupported_encoding`, `request_timeout`, `unavailable` when too much is held in
 * memory, `over_share` when this client holds too much of it, `invalid_request` when it is damaged, or `client_abort`
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Body> {
  const { headers } = limits;
  const encoding = encodingOf(headers['content-encoding']);
  if (!encoding) {
    const state = `content-encoding "${headers['content-encoding']}" is not one of gzip, deflate, br, zstd`;
    throw new ProxyError('unsupported_encoding', `Cannot read the request: ${state}`);
  }
  const { maxBytes, buffered, turns, key, network } = limits;
  const announced = announcedLength(headers['content-length']);
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
  const short = announced !== undefined && announced <= SHORT && buffered.expects(announced);
  const small = short && announced <= SMALL && encoding === 'identity';
  const owner = key ?? (small ? undefined : network());
  let held = 0;
  const take = (bytes: number) => {
    buffered.take(owner, bytes);
    held += bytes;
  };
  const free = () => {
    buffered.free(owner, held);
    held = 0;
  };
  try {
    const received = short ? await atOnce(request, announced, limits) : await byChunks(request, limits, take);
    if (short) take(received.length);
    if (encoding === 'identity') return { bytes: received, free };
    const pieces = await inflating.pass(() => inflated(received, encoding, maxBytes, take));
    const bytes = await turns.run(concatInSteps(pieces));
    // From here on the compressed data is not needed.
    buffered.free(owner, received.length);
    held -= received.length;
    return { bytes, free };
  } catch (cause) {
    free();
    throw cause;
  }
}

/**
 * The announced length.
 * @throws ProxyError `invalid_request` for an invalid one: Bun joins two equal headers to "5, 5"
 */
function announcedLength(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  throw new ProxyError('invalid_request', 'Cannot read the request: its Content-Length is not one number');
}

/** A body that has practically arrived. */
function atOnce(request: Request, announced: number, limits: BodyLimits): Promise<Bytes> {
  const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
  const cancel = limits.clock.after(limits.withinMs, () => reject(tooSlow()));
  // Data that is no longer waited for may still arrive, and counts until then.
  const arrived = () => {
    cancel();
    limits.buffered.arrived(announced);
  };
  request.arrayBuffer().then(
    (buffer) => {
      arrived();
      return resolve(new Uint8Array(buffer));
    },
    (cause: unknown) => {
      arrived();
      return reject(left(cause));
    },
  );
  return promise;
}

async function byChunks(
  request: Request,
  { maxBytes, withinMs, clock, turns }: BodyLimits,
  take: (bytes: number) => void,
): Promise<Bytes> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  let late: ProxyError | undefined;
  const cancel = clock.after(withinMs, () => {
    late = tooSlow();
    stop(reader);
  });
  const blocks = new Blocks();
  try {
    for (;;) {
      // A body that arrived in many small chunks is available at once, and reading it would block the event loop.
      const pause = turns.pause();
      if (pause) await pause;
      const { done, value } = await reader.read();
      if (late) throw late;
      if (done) break;
      if (blocks.length + value.length > maxBytes) throw tooLarge(maxBytes);
      take(value.length);
      blocks.add(value);
    }
  } catch (cause) {
    stop(reader);
    throw late ?? (cause instanceof ProxyError ? cause : left(cause));
  } finally {
    cancel();
  }
  return await turns.run(blocks.whole());
}

/** Cancels a body. */
function stop(reader: { cancel(): Promise<void> }): void {
  // Cancelling a body that has failed rejects with an error that is already known.
  reader.cancel().catch(() => undefined);
}

async function inflated(
  bytes: Bytes,
  encoding: Encoding,
  maxBytes: number,
  take: (bytes: number) => void,
): Promise<Uint8Array[]> {
  try {
    return await inflate(bytes, encoding, maxBytes, take);
  } catch (cause) {
    if (cause instanceof ProxyError) throw cause;
    if (cause instanceof InflatedTooLarge) throw tooLarge(maxBytes);
    const message = `Cannot read the request: its body is not valid ${encoding}`;
    throw new ProxyError('invalid_request', message, { cause });
  }
}

/** A body that does not arrive completely was abandoned by its sender. */
function left(cause: unknown): ProxyError {
  const message = 'Cannot read the request: the client closed the connection';
  return new ProxyError('client_abort', message, { cause });
}

function tooSlow(): ProxyError {
  const message = 'Cannot read the request: its body took too long (limits.body_timeout)';
  return new ProxyError('request_timeout', message);
}

function tooLarge(maxBytes: number): ProxyError {
  const state = `its body is larger than ${maxBytes} bytes (limits.max_body)`;
  return new ProxyError('too_large', `Cannot read the request: ${state}`);
}
