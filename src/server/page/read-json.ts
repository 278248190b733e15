import { ProxyError } from '../../errors.ts';
import { parseJson } from '../../wire/json.ts';

/** Reads the JSON of a small body. @throws ProxyError `too_large`, `invalid_request` */
export async function readAtMost(request: Request, bytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > bytes)
      throw new ProxyError('too_large', `Cannot read the request: longer than ${bytes} bytes`);
    chunks.push(chunk);
  }
  const value = parseJson(Buffer.concat(chunks).toString());
  if (value === undefined) throw new ProxyError('invalid_request', 'Cannot read the request: it is not JSON');
  return value;
}
