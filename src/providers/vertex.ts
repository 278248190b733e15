import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { ProviderSettings, UpstreamCall } from './base.ts';
import type { Called, HttpOptions } from './http.ts';
import type { Steps } from '../turns.ts';
import { decodeInSteps } from '../wire/bytes.ts';
import { isObject } from '../wire/json.ts';
import { parseInSteps } from '../wire/json-steps.ts';
import { stringifyInSteps } from '../wire/json-write.ts';
import { geminiMethod } from './gemini.ts';
import { HttpProvider } from './http.ts';

/** What Vertex wants in place of the header `anthropic-version`. */
const ANTHROPIC_VERSION = 'vertex-2023-10-16';

export interface VertexOptions extends HttpOptions {
  readonly project: string;
  readonly location: string;
}

/**
 * Google Cloud's Vertex AI: Gemini in its own protocol, Claude in Anthropic's, the models of other publishers
 * ("meta/llama-...") in OpenAI's.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest
 */
export class VertexProvider extends HttpProvider {
  readonly #place: string;

  constructor(settings: ProviderSettings, options: VertexOptions) {
    super(settings, options);
    this.#place = `/v1/projects/${options.project}/locations/${options.location}`;
  }

  override counts(model: string): CountingName | undefined {
    return this.protocol(model) === 'gemini' ? 'vertex' : undefined;
  }

  override protocol(model: string): ProtocolName {
    if (model.startsWith('claude-')) return 'messages';
    return model.includes('/') ? 'chat' : 'gemini';
  }

  override relays(endpoint: Endpoint, model: string): boolean {
    return endpoint === this.protocol(model);
  }

  override embeddings(): EmbeddingProtocolName {
    return 'vertex';
  }

  protected override path(call: Called): string {
    const { endpoint, model, stream } = call;
    const protocol = this.protocol(model);
    if (protocol === 'chat') return `${this.#place}/endpoints/openapi/chat/completions`;
    const publisher = protocol === 'messages' ? 'anthropic' : 'google';
    const name = `${this.#place}/publishers/${publisher}/models/${encodeURIComponent(model)}`;
    if (protocol === 'messages') return `${name}:${stream ? 'streamRawPredict' : 'rawPredict'}`;
    return `${name}:${endpoint === 'embeddings' ? 'predict' : geminiMethod(call)}`;
  }

  protected override rewritten({ body, model }: UpstreamCall): Steps<UpstreamCall['body']> | undefined {
    return this.protocol(model) === 'messages' ? ofVertex(body) : undefined;
  }
}

/** What the proxy has read once already is within its bounds. */
const BOUNDS = { maxDepth: Infinity, maxValues: Infinity, maxFields: Infinity };

/** A message to Claude as Vertex takes it: the model stands in the URL, and the version in the body. */
function* ofVertex(body: UpstreamCall['body']): Steps<UpstreamCall['body']> {
  const text = typeof body === 'string' ? body : yield* decodeInSteps(body, false);
  const message = yield* parseInSteps(text, BOUNDS);
  if (!isObject(message)) return body;
  const { model: _, ...rest } = message;
  return yield* stringifyInSteps({ anthropic_version: ANTHROPIC_VERSION, ...rest });
}

/** Where Vertex is asked for a location. */
export function vertexHost(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}
