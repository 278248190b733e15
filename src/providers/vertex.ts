import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { ProviderSettings, UpstreamCall } from './base.ts';
import type { Called, HttpOptions } from './http.ts';
import { isObject, parseJson } from '../wire/json.ts';
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

  /** Claude's model stands in the URL and its version in the body. */
  protected override body({ body, model }: UpstreamCall): UpstreamCall['body'] {
    if (this.protocol(model) !== 'messages') return body;
    const message = parseJson(typeof body === 'string' ? body : new TextDecoder().decode(body));
    if (!isObject(message)) return body;
    const { model: _, ...rest } = message;
    return JSON.stringify({ anthropic_version: ANTHROPIC_VERSION, ...rest });
  }
}

/** Where Vertex is asked for a location. */
export function vertexHost(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}
