import type { Inbound } from '../pipeline/inbound.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import type { JsonBounds } from '../wire/json-steps.ts';
import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { requestHeaders, travellingQuery } from '../wire/headers.ts';
import { multipartField } from '../wire/multipart.ts';
import { readJson } from './json.ts';
import { callerLimits } from './deadline.ts';
import { VIA, viaHere } from './via.ts';
import { findModel } from '../wire/splice.ts';

/** What these endpoints take when the client names no model, as OpenAI documents it. */
const DEFAULT_MODELS: Partial<Record<Endpoint, string>> = {
  moderations: 'omni-moderation-latest',
  'images.generations': 'dall-e-2',
  'images.edits': 'dall-e-2',
  'images.variations': 'dall-e-2',
};

/** Longest name of a model, characters: AWS's, the longest, have as many. Names are remembered, and shown in pages. */
const MAX_MODEL = 2_048;

/**
 * Reads as much of a request as routing needs. The body itself stays as it came.
 * @throws ProxyError `invalid_request` with the field at fault
 */
export function* parseInbound(
  endpoint: Endpoint,
  { headers, url }: Pick<Request, 'headers' | 'url'>,
  bytes: Uint8Array<ArrayBuffer>,
  { instance, bounds }: { readonly instance: string; readonly bounds: JsonBounds },
): Steps<Inbound> {
  const contentType = headers.get('content-type') ?? 'application/json';
  const travelling = { ...requestHeaders(headers, endpoint), [VIA]: viaHere(headers, instance) };
  const limits = callerLimits(headers);
  const { streams } = ENDPOINTS[endpoint];
  if (contentType.toLowerCase().startsWith('multipart/form-data')) {
    const model = multipartField(bytes, contentType, 'model')?.value ?? DEFAULT_MODELS[endpoint];
    const stream = streams && multipartField(bytes, contentType, 'stream')?.value === 'true';
    return {
      endpoint,
      caller: null,
      model: named(model),
      stream,
      contentType,
      bytes,
      json: undefined,
      headers: travelling,
      ...limits,
    };
  }
  const { text, value } = yield* readJson(bytes, bounds);
  const model = named(value.model ?? DEFAULT_MODELS[endpoint]);
  const modelAt = yield* findModel(text, typeof value.model === 'string');
  // Some clients say it of everything that they send.
  const stream = streams && (value.stream ?? false);
  if (typeof stream !== 'boolean') {
    throw new ProxyError('invalid_request', 'Cannot read the request: "stream" must be true or false', {
      param: 'stream',
    });
  }
  const query = travellingQuery(url, endpoint);
  const json = { text, value, modelAt };
  const rest = { contentType: 'application/json', query, bytes, json, headers: travelling };
  return { endpoint, caller: null, model, stream, ...rest, ...limits };
}

function named(model: unknown): string {
  // Half a character can stand in no URL and in no header.
  const fit = typeof model === 'string' && model.length <= MAX_MODEL && model.isWellFormed();
  if (fit && model !== '') return model;
  throw new ProxyError('invalid_request', 'Cannot route the request: "model" must name a model', {
    param: 'model',
  });
}
