import { HttpProvider } from './http.ts';

/** Anthropic's Messages API. */
export class AnthropicProvider extends HttpProvider {
  override readonly protocol = 'anthropic';

  protected override path(): string {
    return '/v1/messages';
  }
}
