import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called } from './http.ts';
import { HttpProvider } from './http.ts';

/** Cohere's API, version 2. @see https://docs.cohere.com/reference */
export class CohereProvider extends HttpProvider {
  override protocol(): ProtocolName {
    return 'cohere';
  }

  /** Reranking exists in Cohere's format only. */
  override relays(endpoint: Endpoint): boolean {
    return endpoint === 'rerank';
  }

  override embeddings(): EmbeddingProtocolName {
    return 'cohere';
  }

  protected override path({ endpoint }: Called): string {
    if (endpoint === 'embeddings') return '/v2/embed';
    return endpoint === 'rerank' ? '/v2/rerank' : '/v2/chat';
  }
}
