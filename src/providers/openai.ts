import type { Endpoint } from '../wire/endpoints.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Called } from './http.ts';
import { ENDPOINTS, isNamed, isTranslated } from '../wire/endpoints.ts';
import { HttpProvider } from './http.ts';

/** What a server of OpenAI's API has beside chat and its kin. */
export interface OpenaiOptions {
  /** APIs of clients that it speaks beside chat, with their paths where they are not the usual ones. */
  readonly also: Readonly<Partial<Record<Endpoint, string>>>;
  /** Models that are asked by Responses alone. */
  readonly onlyResponses?: RegExp | undefined;
}

/** OpenAI, and every vendor that speaks its API. */
export class OpenaiProvider<Options extends OpenaiOptions = OpenaiOptions> extends HttpProvider<Options> {
  override protocol(model: string): ProtocolName {
    return this.#api(model) ?? (this.options.onlyResponses?.test(model) ? 'responses' : 'chat');
  }

  override relays(endpoint: Endpoint, model: string): boolean {
    if (endpoint === 'chat') return this.protocol(model) === 'chat';
    if (endpoint === 'responses' && this.#api(model) === 'chat') return false;
    if (endpoint in this.options.also || endpoint === 'embeddings') return true;
    return !isTranslated(endpoint) && !isNamed(endpoint);
  }

  /** By which API the operator wants a model asked. */
  #api(model: string): 'chat' | 'responses' | undefined {
    return this.settings.overrides?.findLast(({ covers, api }) => api && covers(model))?.api;
  }

  protected override path({ endpoint, model }: Called): string {
    if (endpoint === 'realtime') return `${ENDPOINTS.realtime.path}?model=${encodeURIComponent(model)}`;
    const asked = endpoint === 'chat' ? this.protocol(model) : endpoint;
    return this.options.also[asked as Endpoint] || ENDPOINTS[asked as Endpoint].path;
  }
}
