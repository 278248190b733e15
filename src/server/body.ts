import type { Clock } from '../clock.ts';
import type { Turns } from '../turns.ts';
import type { Buffered } from './buffered.ts';
import { ProxyError } from '../errors.ts';
import { concatInSteps } from '../wire/bytes.ts';
import { encodingOf, inflate, InflatedTooLarge } from '../wire/encoding.ts';

export interface BodyLimits {
  /** On what was sent, and on what it decompresses to, bytes. */
  readonly maxBytes: number;
  /** How long the client may take to send it, milliseconds. */
  readonly withinMs: number;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly buffered: Buffered;
}

export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Gives its memory back. */
  readonly free: () => void;
}

/**
 * The request body, decompressed.
 * @throws ProxyError `too_large`, `unsupported_encoding`, `request_timeout`, `unavailable` when too much is held in
 * memory, `invalid_request` when it is broken, or `client_abort`
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Body> {
  const header = request.headers.get('content-encoding');
  const encoding = encodingOf(header);
  if (!encoding) {
    throw new ProxyError(
      'unsupported_encoding',
      `Cannot read the request: content-encoding "${header}" is not one of gzip, deflate, br, zstd`,
    );
  }
  const { maxBytes, buffered, withinMs, clock } = limits;
  let held = 0;
  let over = false;
  const take = (bytes: number) => {
    // What still arrives after the answer was given is nobody's.
    if (over) throw new ProxyError('request_timeout', 'Cannot read on: the request is answered');
    buffered.take(bytes);
    held += bytes;
  };
  const free = () => {
    buffered.free(held);
    held = 0;
  };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.after(withinMs, () =>
    reject(
      new ProxyError(
        'request_timeout',
        'Cannot read the request: its body took too long (limits.body_timeout)',
      ),
    ),
  );
  try {
    const received = await Promise.race([receive(request, limits, take).catch(left), late]);
    if (encoding === 'identity') return { bytes: received, free };
    const bytes = await inflate(received, encoding, maxBytes);
    take(bytes.length);
    return { bytes, free };
  } catch (cause) {
    over = true;
    free();
    if (cause instanceof ProxyError) throw cause;
    if (cause instanceof InflatedTooLarge) throw tooLarge(maxBytes);
    throw new ProxyError('invalid_request', `Cannot read the request: its body is not valid ${encoding}`, {
      cause,
    });
  } finally {
    cancel();
  }
}

/** A body that does not come to its end is one whose sender left. */
function left(cause: unknown): never {
  if (cause instanceof ProxyError) throw cause;
  throw new ProxyError('client_abort', 'Cannot read the request: the client closed the connection', {
    cause,
  });
}

async function receive(
  request: Request,
  { maxBytes, turns }: BodyLimits,
  take: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers.get('content-length');
  if (declared !== null || !request.body) {
    if (Number(declared ?? 0) > maxBytes) throw tooLarge(maxBytes);
    take(Number(declared ?? 0));
    return new Uint8Array(await request.arrayBuffer());
  }
  // Only a chunked body must be counted as it comes.
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    take(chunk.length);
    chunks.push(chunk);
  }
  return await turns.run(concatInSteps(chunks));
}

function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError(
    'too_large',
    `Cannot read the request: its body is larger than ${maxBytes} bytes (limits.max_body)`,
  );
}
