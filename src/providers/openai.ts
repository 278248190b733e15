import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { ProviderSettings } from './base.ts';
import type { Called, HttpOptions } from './http.ts';
import { ENDPOINTS, isTranslated } from '../wire/endpoints.ts';
import { HttpProvider } from './http.ts';

/** What a server of OpenAI's API has beside chat and its kin. */
export interface OpenaiOptions extends HttpOptions {
  /** APIs of clients that it speaks beside chat, with their paths where they are not the usual ones. */
  readonly also: Readonly<Partial<Record<Endpoint, string>>>;
  /** Models that are asked by Responses alone. */
  readonly onlyResponses?: RegExp | undefined;
}

/** OpenAI, and every vendor that speaks its API. */
export class OpenaiProvider extends HttpProvider {
  readonly #also: OpenaiOptions['also'];
  readonly #onlyResponses: RegExp | undefined;

  constructor(settings: ProviderSettings, options: OpenaiOptions) {
    super(settings, options);
    this.#also = options.also;
    this.#onlyResponses = options.onlyResponses;
  }

  override protocol(model: string): ProtocolName {
    return this.#onlyResponses?.test(model) ? 'responses' : 'chat';
  }

  override relays(endpoint: Endpoint, model: string): boolean {
    if (endpoint === 'chat') return this.protocol(model) === 'chat';
    return endpoint in this.#also || endpoint === 'embeddings' || !isTranslated(endpoint);
  }

  protected override path({ endpoint, model }: Called): string {
    const asked = endpoint === 'chat' ? this.protocol(model) : endpoint;
    return this.#also[asked as Endpoint] || ENDPOINTS[asked as Endpoint].path;
  }
}
