import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Unsigned } from './auth/authorizer.ts';
import type { Called, HeaderFields } from './http.ts';
import type { Services } from './services.ts';
import { countedModel } from '../wire/bedrock/count.ts';
import { AwsAuth, awsCredentials } from './auth/aws.ts';
import { HttpProvider, joinUrl } from './http.ts';

export interface BedrockOptions {
  readonly region: string;
  /** The profile in the AWS credentials file. */
  readonly profile: string | undefined;
}

/**
 * AWS Bedrock through its Converse API. Without a key, requests are signed.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference
 */
export class BedrockProvider extends HttpProvider<BedrockOptions> {
  readonly #signer: AwsAuth | undefined;

  constructor(services: Services<BedrockOptions>) {
    super(services);
    const { name, keys, options } = services;
    const { region, profile } = options;
    if (keys.length === 0) this.#signer = new AwsAuth(name, region, () => awsCredentials(profile, services));
  }

  override get baseUrl(): string {
    return this.services.baseUrl ?? `https://bedrock-runtime.${this.options.region}.amazonaws.com`;
  }

  /** Its lists are on another host: models, and the inference profiles through which some of them are called. */
  override get modelLists(): readonly URL[] {
    const host = this.baseUrl.replace('//bedrock-runtime.', '//bedrock.');
    return ['/foundation-models', '/inference-profiles?maxResults=1000'].map((path) => joinUrl(host, path));
  }

  /** It can count tokens for some models only, and answers 400 for the others. */
  override counts(model: string): CountingName | undefined {
    return model.includes('anthropic.claude') ? 'converse' : undefined;
  }

  override protocol(): ProtocolName {
    return 'converse';
  }

  protected override auth(request: Unsigned, signal: AbortSignal): HeaderFields | Promise<HeaderFields> {
    return this.#signer ? this.#signer.headers(request) : super.auth(request, signal);
  }

  protected override get shownAuth(): HeaderFields {
    return this.#signer ? { authorization: '[masked]' } : super.shownAuth;
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
