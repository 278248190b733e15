import type { Config } from '../config/schema.ts';
import type { Inbound } from '../pipeline/inbound.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ModelRegistry } from '../pipeline/models.ts';
import { ENDPOINTS, placeOf } from '../wire/endpoints.ts';
import { plainName } from '../wire/ollama/names.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { requestHeaders, travellingQuery } from '../wire/headers.ts';
import { readForm } from '../wire/multipart.ts';
import { scopeByKey } from './idempotency.ts';
import { boundsOf, readJson } from './json.ts';
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

/** Where a request comes from, and what it asks beside its body. */
export interface Origin {
  readonly endpoint: Endpoint;
  readonly headers: HeaderMap;
  readonly url: string;
  /** Name of the client's key; `null` without one. */
  readonly caller: string | null;
  /** What its path says, where that names the model. */
  readonly path?: PathAsked | undefined;
}

/** What a path says of a request beside which endpoint it is for. */
export type PathAsked = Pick<Inbound, 'model' | 'stream' | 'form'>;

export interface ParsingContext {
  /** This process, as it tells itself from others. */
  readonly instance: string;
  readonly limits: Config['limits'];
  /** Which names the configuration has; left out where none is looked for. */
  readonly registry?: Pick<ModelRegistry, 'lists'>;
}

/**
 * Reads as much of a request as routing needs. The body itself stays as it came.
 * @throws ProxyError `invalid_request` with the field at fault
 */
export function* parseInbound(
  { endpoint, headers, url, caller, path }: Origin,
  bytes: Uint8Array<ArrayBuffer>,
  { instance, limits, registry }: ParsingContext,
): Steps<Inbound> {
  const contentType = headers['content-type'] ?? 'application/json';
  const travelling = requestHeaders(headers, endpoint);
  travelling[VIA] = viaHere(headers, instance);
  scopeByKey(travelling, caller);
  const { beginWithinMs, endWithinMs } = callerLimits(headers);
  const { streams } = ENDPOINTS[endpoint];
  if (contentType.toLowerCase().startsWith('multipart/form-data')) {
    const form = readForm(bytes, contentType);
    const model = form.model?.value ?? DEFAULT_MODELS[endpoint];
    const stream = streams && trueOrFalse(SPELLED[form.stream?.value.toLowerCase() ?? 'false']);
    return {
      endpoint,
      caller,
      model: named(model),
      stream,
      form: 'events',
      contentType,
      bytes,
      json: undefined,
      headers: travelling,
      beginWithinMs,
      endWithinMs,
    };
  }
  const { text, value } = yield* readJson(bytes, boundsOf(limits));
  const isOllamas = endpoint.startsWith('ollama');
  const asked = named(path?.model ?? value.model ?? DEFAULT_MODELS[endpoint]);
  const model = isOllamas && registry ? plainName(asked, (name) => registry.lists(name)) : asked;
  const inBody = typeof value.model === 'string' && placeOf(endpoint) !== 'model';
  const modelAt = yield* findModel({ text, bytes }, inBody);
  // Some clients say it of everything that they send.
  const stream = path?.stream ?? (streams && trueOrFalse(value.stream ?? isOllamas));
  return {
    endpoint,
    caller,
    model,
    stream,
    form: path?.form ?? (isOllamas ? 'lines' : 'events'),
    query: travellingQuery(url, endpoint),
    contentType: 'application/json',
    bytes,
    json: { text, value, modelAt },
    headers: travelling,
    beginWithinMs,
    endWithinMs,
  };
}

/** How forms say it. */
const SPELLED: Readonly<Record<string, boolean>> = { true: true, false: false };

function trueOrFalse(stream: unknown): boolean {
  if (typeof stream === 'boolean') return stream;
  throw new ProxyError('invalid_request', 'Cannot read the request: "stream" must be true or false', {
    param: 'stream',
  });
}

function named(model: unknown): string {
  // Half a character can stand in no URL and in no header.
  const fit = typeof model === 'string' && model.length <= MAX_MODEL && model.isWellFormed();
  if (fit && model !== '') return model;
  throw new ProxyError('invalid_request', 'Cannot route the request: "model" must name a model', {
    param: 'model',
  });
}
