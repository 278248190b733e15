import type { Json } from './json.ts';
import type { Asker } from '../requests/asking.ts';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isObject, parseJson } from './json.ts';

/** The API of an exchange. */
export type Api = 'chat' | 'messages' | 'responses' | 'gemini' | 'converse' | 'cohere';

/** One recorded exchange, in a common shape. */
export interface Recorded {
  /** The file, below the folder of recordings, and the position in it. */
  readonly file: string;
  readonly at: number;
  readonly provider: string;
  readonly method: string;
  readonly url: string;
  readonly request: Json | undefined;
  readonly status: number;
  readonly headers: Headers;
  /** The decompressed body. */
  readonly body: Uint8Array;
}

const utf8 = new TextDecoder();

export function textOf(body: Uint8Array): string {
  return utf8.decode(body);
}

/** Headers in any recorder's format: texts or lists of texts, with names in any case. */
export function headersOf(value: unknown): Headers {
  const headers = new Headers();
  if (!isObject(value)) return headers;
  for (const [name, given] of Object.entries(value)) {
    const [first] = [given].flat() as unknown[];
    if (!/^[\w-]+$/.test(name) || first === undefined) continue;
    // Python's bytes are recorded as base64.
    const text = String(first).trim();
    if (/^[\x20-\x7e]*$/.test(text)) headers.set(name, text);
  }
  return headers;
}

/** A recorded body: JSON as a value, text, or base64 of something compressed or framed. */
export function bodyOf(value: unknown): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array();
  if (typeof value !== 'string') return new TextEncoder().encode(JSON.stringify(value));
  const plain = new TextEncoder().encode(value);
  if (/^\s*(?:[[{<:]|data:|event:|id:|$)/.test(value) || !/^[A-Za-z0-9+/=\s]+$/.test(value)) return plain;
  const bytes = new Uint8Array(Buffer.from(value, 'base64'));
  return inflated(bytes);
}

/**
 * Decompresses bodies without a declared encoding, by their first bytes; Brotli has no magic bytes and is tried last.
 */
export function inflated(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  if (bytes[0] === 0x28 && bytes[1] === 0xb5) return zstdDecompressSync(bytes);
  if (bytes[0] === 0x78) return inflateSync(bytes);
  // AWS frames begin with their length.
  if (bytes[0] === 0 || /^[\s\x20-\x7e]/.test(textOf(bytes.subarray(0, 1)))) return bytes;
  try {
    return brotliDecompressSync(bytes);
  } catch {
    return bytes;
  }
}

/** The body of a request as an object. */
export function requestOf(value: unknown): Json | undefined {
  if (isObject(value)) return value;
  const parsed = parseJson(textOf(bodyOf(value)));
  return isObject(parsed) ? parsed : undefined;
}

/** The API by the URL; `undefined` if it is none of those that are translated. */
export function apiOf({ url, provider }: Pick<Recorded, 'url' | 'provider'>): Api | undefined {
  const path = decodeURIComponent(url.replace(/[?#].*$/, ''));
  if (path.endsWith('/chat/completions')) return 'chat';
  if (path.endsWith('/responses')) return 'responses';
  if (/\/messages$|:(?:r|streamR)awPredict$/.test(path)) return 'messages';
  if (/:(?:streamG|g)enerateContent$/.test(path)) return 'gemini';
  if (/\/converse(?:-stream)?$/.test(path)) return 'converse';
  if (path.endsWith('/v2/chat')) return 'cohere';
  return path === '' && provider === 'cohere' ? 'cohere' : undefined;
}

/** Endpoints other than chat, or not called by this project, with the reasons for skipping them. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/\/embeddings$|\/embed$|embed[^/]*\/invoke$|:(?:batchEmbed|embed)Contents?$/, 'embeddings'],
  [/gecko[^/]*:predict$|embedding[^/]*:predict$/, 'embeddings'],
  [/:countTokens$|\/count[-_]tokens$|\/input_tokens$|\/tokenize$/, 'tokens counted'],
  [/\/invoke(?:-with-response-stream)?$/, "Bedrock's invoke in a vendor's own old form"],
  [/\/v1\/(?:completions|complete|generate)$/, 'completions of a text'],
  [/^\/v1\/chat$/, "Cohere's v1 chat"],
  [/\/api\/(?:chat|generate)$/, "answers of Ollama's own API"],
  [/\/interactions$/, "answers of Google's interactions API"],
  [/\/responses\/compact$/, 'compaction of a conversation'],
  [/\/responses\/[^/]+$/, 'an answer asked for later'],
  [/\/models(?:\/[^/]*)?$|\/models\/.*\/revision\/|\/props$/, 'models'],
  [/\/rerank$/, 'ranking'],
  [/\/images?\/(?:edits|generations|variations)$|:predict$/, 'images'],
  [
    /\/(?:batches|files|vector_stores|conversations|cachedContents|fileSearchStores|fine_tuning)\b/,
    'files, batches, stores',
  ],
  [/\/(?:moderations|guardrail)\b/, 'moderation'],
  [/\/token$/, 'a login'],
  [/\/nope$/, 'a path that is none'],
];

/** The API of a chat of which only requests are compared. */
export function otherAsker({ method, url }: Pick<Recorded, 'method' | 'url'>): Asker | undefined {
  const path = decodeURIComponent(url.replace(/[?#].*$/, ''));
  if (method !== 'POST') return undefined;
  if (/\/api\/(?:chat|generate)$/.test(path)) return 'ollama';
  return path.endsWith('/interactions') ? 'interactions' : undefined;
}

/** A description of an exchange that is not a chat; `undefined` for an unknown kind. */
export function otherEndpoint({ method, url }: Pick<Recorded, 'method' | 'url'>): string | undefined {
  const path = decodeURIComponent(url.replace(/^https?:\/\/[^/]+/, '').replace(/[?#].*$/, ''));
  const known = OTHERS.find(([pattern]) => pattern.test(path))?.[1];
  return known ?? (method === 'GET' ? 'a document or picture fetched' : undefined);
}
