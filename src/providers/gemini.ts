import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called } from './http.ts';
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
    return endpoint === 'realtime.live';
  }

  /** The Live API stands beside the others, by a name that has their version in it. */
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

  protected override path(call: Called): string {
    return `/models/${encodeURIComponent(call.model)}:${geminiMethod(call)}`;
  }
}

/** The method of a Gemini model that a call means. */
export function geminiMethod({ endpoint, stream }: Called): string {
  if (endpoint === 'embeddings') return 'batchEmbedContents';
  if (endpoint === 'messages.count_tokens') return 'countTokens';
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
}
