import type { Config } from '../config/schema.ts';
import type { Inbound } from '../pipeline/inbound.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ModelRegistry } from '../pipeline/routing/models.ts';
import { ENDPOINTS, placeOf } from '../wire/endpoints.ts';
import { plainName } from '../wire/ollama/names.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Steps } from '../turns.ts';
import type { JsonObject } from '../wire/json.ts';
import { ProxyError } from '../errors.ts';
import { requestHeaders, travellingQuery } from '../wire/headers.ts';
import { readForm } from '../wire/multipart.ts';
import { scopeByKey } from './idempotency.ts';
import { boundsOf, readJson } from './json.ts';
import { callerLimits } from './deadline.ts';
import { VIA, viaHere } from './via.ts';
import { findModel } from '../wire/splice.ts';

/** The default models of these endpoints, as OpenAI documents them. */
const DEFAULT_MODELS: Partial<Record<Endpoint, string>> = {
  moderations: 'omni-moderation-latest',
  'images.generations': 'dall-e-2',
  'images.edits': 'dall-e-2',
  'images.variations': 'dall-e-2',
};

/** The longest model name, characters: AWS's, the longest, reach it. Names are cached and displayed. */
const MAX_MODEL = 2_048;

/** The origin of a request, and its properties outside the body. */
export interface Origin {
  readonly endpoint: Endpoint;
  readonly headers: HeaderMap;
  readonly url: string;
  /** The name of the client's key; `null` without one. */
  readonly caller: string | null;
  /** The properties in its path, if that contains the model. */
  readonly path?: PathRequest | undefined;
}

/** The properties of a request in its path, apart from the endpoint. */
export type PathRequest = Pick<Inbound, 'model' | 'stream' | 'form'>;

export interface ParsingContext {
  /** The name of this process in the header x-llmproxy-via. */
  readonly instance: string;
  readonly limits: Config['limits'];
  /** Looks up configured names; omitted if none are looked up. */
  readonly registry?: Pick<ModelRegistry, 'lists'>;
}

/**
 * Parses the parts of a request that routing needs. The body itself is unchanged.
 * @throws ProxyError `invalid_request` with the invalid field
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
  refuseSpellings(value);
  if (endpoint === 'gemini.interactions') refuseAgent(value);
  const requested = named(path?.model ?? value.model ?? DEFAULT_MODELS[endpoint]);
  const model = isOllamas && registry ? plainName(requested, (name) => registry.lists(name)) : requested;
  const inBody = typeof value.model === 'string' && placeOf(endpoint) !== 'model';
  const modelAt = yield* findModel(bytes, inBody);
  // Some clients set it on everything they send.
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

/**
 * Some servers read keys regardless of their case, as Go's encoding/json does: they would see another model than the
 * one that was checked. @throws ProxyError `invalid_request`
 */
function refuseSpellings(value: JsonObject): void {
  for (const key in value) {
    if (key === 'model' || key === 'stream' || !OTHER_SPELLING.test(key)) continue;
    const meant = /model/i.test(key) ? 'model' : 'stream';
    throw new ProxyError('invalid_request', `Cannot read the request: write "${meant}" instead of "${key}"`, {
      param: key,
    });
  }
}

/** In Unicode, and so in Go, "ſ" is a small S. Some parsers drop spaces around a key, and end it at a zero character. */
const OTHER_SPELLING = /^[\s\p{Cc}]*(?:model|[sſ]tream)(?:[\s\p{Cc}]*|\0.*)$/isu;

/** An agent is not a model, and only Google has agents. @throws ProxyError `unsupported` */
function refuseAgent({ model, agent }: JsonObject): void {
  if (model !== undefined || agent === undefined) return;
  throw new ProxyError(
    'unsupported',
    'Cannot run an agent: requests are routed by their model; forward this one to /providers/NAME/interactions, see docs/passthrough.md',
    { param: 'agent' },
  );
}

/** The value in forms. */
const SPELLED: Readonly<Record<string, boolean>> = { true: true, false: false };

function trueOrFalse(stream: unknown): boolean {
  if (typeof stream === 'boolean') return stream;
  throw new ProxyError('invalid_request', 'Cannot read the request: "stream" must be true or false', {
    param: 'stream',
  });
}

/** A path that leads elsewhere, and characters that no name has: some providers have the name in their URL. */
const MISLEADING = /[\\/]\.{1,2}(?:[\\/]|$)|^\.{1,2}$|\p{Cc}/u;

function named(model: unknown): string {
  // A lone surrogate cannot be encoded in a URL or a header.
  const fit = typeof model === 'string' && model.length <= MAX_MODEL && model.isWellFormed();
  if (fit && model !== '' && !MISLEADING.test(model)) return model;
  throw new ProxyError('invalid_request', 'Cannot route the request: "model" must name a model', {
    param: 'model',
  });
}
