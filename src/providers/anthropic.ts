import type { CountingName } from './base.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called, HeaderFields } from './http.ts';
import { HttpProvider } from './http.ts';

/** The supported version of the API. */
const VERSION: HeaderFields = { 'anthropic-version': '2023-06-01' };

/** Anthropic's Messages API. */
export class AnthropicProvider extends HttpProvider {
  override counts(): CountingName {
    return 'messages';
  }

  override protocol(): ProtocolName {
    return 'messages';
  }

  override relays(endpoint: Endpoint): boolean {
    return endpoint === 'messages' || endpoint === 'messages.count_tokens';
  }

  protected override get headers(): HeaderFields {
    return VERSION;
  }

  protected override path({ endpoint }: Called): string {
    return endpoint === 'messages.count_tokens' ? '/v1/messages/count_tokens' : '/v1/messages';
  }
}
