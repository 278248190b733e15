import type { ProviderSettings } from './base.ts';
import type { Called } from './http.ts';
import type { OpenaiOptions } from './openai.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { OpenaiProvider } from './openai.ts';

/**
 * Azure OpenAI by its deployment URLs, which have a version of their own and name the deployment. The newer v1 API
 * is OpenAI's and needs no class.
 * @see https://learn.microsoft.com/azure/ai-services/openai/reference
 */
export class AzureDeploymentsProvider extends OpenaiProvider {
  readonly #apiVersion: string;

  constructor(settings: ProviderSettings, options: OpenaiOptions & { apiVersion: string }) {
    super(settings, options);
    this.#apiVersion = options.apiVersion;
  }

  protected override path({ endpoint, model }: Called): string {
    const version = `?api-version=${encodeURIComponent(this.#apiVersion)}`;
    if (endpoint === 'responses') return `/openai/responses${version}`;
    return `/openai/deployments/${encodeURIComponent(model)}${ENDPOINTS[endpoint].path}${version}`;
  }
}
