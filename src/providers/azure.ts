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
  /** The API version for deployment URLs; omitted for the v1 API. */
  readonly apiVersion: string | undefined;
  /** How it signs in to Entra, if it does not use a key. */
  readonly entra: EntraCredentials | undefined;
}

/**
 * Azure OpenAI through its v1 API, which is OpenAI's, or through its deployment URLs, which carry an API version and
 * the name of the deployment. It authenticates with a key or through Entra.
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
   * Lists its deployments, whose names are the model names; its `/models` lists what could be deployed. Later versions
   * of the API leave deployments to Azure's management API, which does not accept the key of a resource.
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
