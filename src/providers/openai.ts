import type { Endpoint } from '../wire/endpoints.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { HttpProvider } from './http.ts';

/** OpenAI, and every vendor that speaks its API. */
export class OpenaiProvider extends HttpProvider {
  override readonly protocol = 'openai';

  protected override path(endpoint: Endpoint): string {
    return ENDPOINTS[endpoint].path;
  }
}
