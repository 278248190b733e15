import { ProxyError } from '../errors.ts';
import { encodingOf, inflate, InflatedTooLarge } from '../wire/encoding.ts';

/**
 * The request body, decompressed.
 * @param maxBytes bound on what was sent and on what it decompresses to
 * @throws ProxyError `too_large`, `unsupported_encoding`, or `invalid_request` when it is broken
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const header = request.headers.get('content-encoding');
  const encoding = encodingOf(header);
  if (!encoding) {
    throw new ProxyError(
      'unsupported_encoding',
      `Cannot read the request: content-encoding "${header}" is not one of gzip, deflate, br, zstd`,
    );
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await receive(request, maxBytes);
  if (encoding === 'identity') return bytes;
  try {
    return inflate(bytes, encoding, maxBytes);
  } catch (cause) {
    if (cause instanceof InflatedTooLarge) throw tooLarge(maxBytes);
    throw new ProxyError('invalid_request', `Cannot read the request: its body is not valid ${encoding}`, {
      cause,
    });
  }
}

async function receive(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  // A declared length was checked above and holds; only a chunked body must be counted as it comes.
  if (request.headers.has('content-length') || !request.body)
    return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError(
    'too_large',
    `Cannot read the request: its body is larger than ${maxBytes} bytes (limits.max_body)`,
  );
}
