import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called } from './http.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { HttpProvider } from './http.ts';

/** Google's Gemini API. @see https://ai.google.dev/api */
export class GeminiProvider extends HttpProvider {
  override counts(): CountingName {
    return 'gemini';
  }

  override protocol(): ProtocolName {
    return 'gemini';
  }

  override relays(endpoint: Endpoint): boolean {
    return OTHERS.has(endpoint) || Object.hasOwn(METHODS, endpoint);
  }

  /** The Live API is beside the others, under a name that contains their version. */
  protected override socketUrl(): URL {
    const url = new URL(this.baseUrl);
    const [, before = '', version = 'v1beta'] = /^(.*?)\/(v\d\w*)\/*$/.exec(url.pathname) ?? [];
    url.pathname = `${before}/ws/google.ai.generativelanguage.${version}.GenerativeService.BidiGenerateContent`;
    return url;
  }

  override liveModel(model: string): string {
    return `models/${model}`;
  }

  override embeddings(): EmbeddingProtocolName {
    return 'gemini';
  }

  /** @internal */
  override get storedInteractions(): string {
    return ENDPOINTS['gemini.interactions'].path;
  }

  protected override path(call: Called): string {
    if (call.endpoint === 'gemini.interactions') return ENDPOINTS['gemini.interactions'].path;
    const [, collection = 'models/', name = ''] = /^(tunedModels\/)?(.*)$/s.exec(call.model) ?? [];
    return `/${collection}${encodeURIComponent(name)}:${geminiMethod(call)}`;
  }
}

/** Requests that are passed on unchanged, and for which the model has no method. */
const OTHERS: ReadonlySet<Endpoint> = new Set<Endpoint>(['realtime.live', 'gemini.interactions']);

/** The requests of Gemini clients that are passed on unchanged. */
const METHODS: Readonly<Partial<Record<Endpoint, string>>> = {
  gemini: 'generateContent',
  'gemini.count_tokens': 'countTokens',
  'gemini.embed': 'embedContent',
  'gemini.batch_embed': 'batchEmbedContents',
};

/** The method of a Gemini model that a call is for. */
export function geminiMethod({ endpoint, stream }: Called): string {
  if (endpoint === 'embeddings') return 'batchEmbedContents';
  if (endpoint === 'messages.count_tokens') return 'countTokens';
  const own = endpoint === 'gemini' ? undefined : METHODS[endpoint];
  if (own !== undefined) return own;
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
}
