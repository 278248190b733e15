import type { HeaderMap } from '../wire/headers.ts';

/** Headers besides `Authorization` in which the SDKs of Anthropic, Azure and Google send their key. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'];

/** The credentials in the headers. */
export function presented(headers: HeaderMap): string[] {
  const keys: string[] = [];
  const token = bearer(headers.authorization);
  if (token) keys.push(token);
  for (const name of KEY_HEADERS) {
    const key = headers[name];
    if (key) keys.push(key);
  }
  return keys;
}

/** The token in an `Authorization` header. */
export function bearer(header: string | undefined): string | undefined {
  // As nearly all clients write it.
  if (header?.startsWith('Bearer ')) return header.slice('Bearer '.length).trim();
  return /^bearer\s+(.+)$/i.exec(header ?? '')?.[1]?.trim();
}
