import type { Inbound } from '../pipeline/inbound.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { JsonObject } from '../wire/json.ts';
import { ProxyError } from '../errors.ts';
import { requestHeaders, travellingQuery } from '../wire/headers.ts';
import { isObject } from '../wire/json.ts';
import { multipartField } from '../wire/multipart.ts';
import { callerLimits } from './deadline.ts';
import { VIA, viaHere } from './via.ts';
import { hasDuplicateModel } from '../wire/splice.ts';

/** What these endpoints take when the client names no model, as OpenAI documents it. */
const DEFAULT_MODELS: Partial<Record<Endpoint, string>> = {
  moderations: 'omni-moderation-latest',
  'images.generations': 'dall-e-2',
  'images.edits': 'dall-e-2',
  'images.variations': 'dall-e-2',
};

/** Longest name of a model, characters: AWS's, the longest, have as many. Names are remembered, and shown in pages. */
const MAX_MODEL = 2_048;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads as much of a request as routing needs. The body itself stays as it came.
 * @throws ProxyError `invalid_request` with the field at fault
 */
export function parseInbound(
  endpoint: Endpoint,
  { headers, url }: Pick<Request, 'headers' | 'url'>,
  bytes: Uint8Array<ArrayBuffer>,
  instance: string,
): Inbound {
  const contentType = headers.get('content-type') ?? 'application/json';
  const travelling = { ...requestHeaders(headers, endpoint), [VIA]: viaHere(headers, instance) };
  const limits = callerLimits(headers);
  if (contentType.toLowerCase().startsWith('multipart/form-data')) {
    const model = multipartField(bytes, contentType, 'model')?.value ?? DEFAULT_MODELS[endpoint];
    const stream = multipartField(bytes, contentType, 'stream')?.value === 'true';
    return {
      endpoint,
      model: named(model),
      stream,
      contentType,
      bytes,
      json: undefined,
      headers: travelling,
      ...limits,
    };
  }
  const json = readJson(bytes);
  const model = named(json.value.model ?? DEFAULT_MODELS[endpoint]);
  if (hasDuplicateModel(json.text)) {
    throw new ProxyError('invalid_request', 'Cannot read the request: "model" is given twice', {
      param: 'model',
    });
  }
  const stream = json.value.stream ?? false;
  if (typeof stream !== 'boolean') {
    throw new ProxyError('invalid_request', 'Cannot read the request: "stream" must be true or false', {
      param: 'stream',
    });
  }
  const query = travellingQuery(url, endpoint);
  const rest = { contentType: 'application/json', query, bytes, json, headers: travelling };
  return { endpoint, model, stream, ...rest, ...limits };
}

/** The body as JSON text and as an object. @throws ProxyError `invalid_request` */
export function readJson(bytes: Uint8Array): { text: string; value: JsonObject } {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new ProxyError('invalid_request', 'Cannot read the request: its body is not valid UTF-8', {
      cause,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^JSON Parse error: /, '') : 'unknown';
    throw new ProxyError(
      'invalid_request',
      `Cannot read the request: its body is not valid JSON (${reason})`,
      {
        cause,
      },
    );
  }
  if (isObject(value)) return { text, value };
  throw new ProxyError('invalid_request', 'Cannot read the request: its body must be a JSON object');
}

function named(model: unknown): string {
  // Half a character can stand in no URL and in no header.
  const fit = typeof model === 'string' && model.length <= MAX_MODEL && model.isWellFormed();
  if (fit && model !== '') return model;
  throw new ProxyError('invalid_request', 'Cannot route the request: "model" must name a model', {
    param: 'model',
  });
}
