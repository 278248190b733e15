import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called } from './http.ts';
import { countedModel } from '../wire/bedrock/count.ts';
import { HttpProvider } from './http.ts';

/** AWS Bedrock by its Converse API. @see https://docs.aws.amazon.com/bedrock/latest/APIReference */
export class BedrockProvider extends HttpProvider {
  /** It counts for some models alone, and says 400 for the others. */
  override counts(model: string): CountingName | undefined {
    return model.includes('anthropic.claude') ? 'converse' : undefined;
  }

  override protocol(): ProtocolName {
    return 'converse';
  }

  override relays(): boolean {
    return false;
  }

  override embeddings(): EmbeddingProtocolName {
    return 'bedrock';
  }

  protected override path({ endpoint, model, stream }: Called): string {
    if (endpoint === 'messages.count_tokens')
      return `/model/${encodeURIComponent(countedModel(model))}/count-tokens`;
    const name = `/model/${encodeURIComponent(model)}`;
    if (endpoint === 'embeddings') return `${name}/invoke`;
    return `${name}/${stream ? 'converse-stream' : 'converse'}`;
  }
}
