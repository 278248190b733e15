import type { Unsigned } from './auth/authorizer.ts';
import type { EntraCredentials } from './auth/entra.ts';
import type { Called, HeaderFields } from './http.ts';
import type { OpenaiOptions } from './openai.ts';
import type { Services } from './services.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { entraToken } from './auth/entra.ts';
import { TokenAuth } from './auth/token.ts';
import { OpenaiProvider } from './openai.ts';

export interface AzureOptions extends OpenaiOptions {
  /** Of the deployment URLs; left out for the v1 API. */
  readonly apiVersion: string | undefined;
  /** Where it signs in with these in place of a key. */
  readonly entra: EntraCredentials | undefined;
}

/**
 * Azure OpenAI: by its v1 API, which is OpenAI's, or by its deployment URLs, which have a version of their own and name the
 * deployment; with a key, or signed in at Entra.
 * @see https://learn.microsoft.com/azure/ai-services/openai/reference
 */
export class AzureProvider extends OpenaiProvider<AzureOptions> {
  readonly #entra: TokenAuth | undefined;

  constructor(services: Services<AzureOptions>) {
    super(services);
    const { keys, options } = services;
    const { entra } = options;
    if (entra && keys.length === 0) this.#entra = new TokenAuth(() => entraToken(entra), services);
  }

  /**
   * Its deployments, by whose names it is asked; what its `/models` lists is what might be deployed. Later versions of
   * the API leave them to Azure's management, where the key of a resource does not count.
   */
  override get modelLists(): readonly URL[] {
    return [new URL('/openai/deployments?api-version=2022-12-01', this.baseUrl)];
  }

  protected override path(call: Called): string {
    const { apiVersion } = this.options;
    if (apiVersion === undefined) return super.path(call);
    const { endpoint, model } = call;
    const version = `?api-version=${encodeURIComponent(apiVersion)}`;
    if (endpoint === 'responses') return `/openai/responses${version}`;
    if (endpoint === 'realtime') return `/openai/realtime${version}&deployment=${encodeURIComponent(model)}`;
    return `/openai/deployments/${encodeURIComponent(model)}${ENDPOINTS[endpoint].path}${version}`;
  }

  protected override auth(request: Unsigned, signal: AbortSignal): HeaderFields | Promise<HeaderFields> {
    return this.#entra ? this.#entra.headers(request, signal) : super.auth(request, signal);
  }

  protected override get shownAuth(): HeaderFields {
    return this.#entra ? { authorization: '[masked]' } : super.shownAuth;
  }
}
