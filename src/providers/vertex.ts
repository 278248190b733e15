import type { Endpoint } from '../wire/endpoints.ts';
import type { CountingName } from './base.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Unsigned } from './auth/authorizer.ts';
import type { TokenRequest } from './auth/token.ts';
import type { Call } from './call.ts';
import type { Called, HeaderFields } from './http.ts';
import type { Services } from './services.ts';
import type { Steps } from '../turns.ts';
import { ProxyError } from '../errors.ts';
import { decodeInSteps } from '../wire/bytes.ts';
import { isObject } from '../wire/json.ts';
import { parseInSteps } from '../wire/json-steps.ts';
import { stringifyInSteps } from '../wire/json-write.ts';
import { metadataToken, serviceAccountToken } from './auth/google.ts';
import { TokenAuth } from './auth/token.ts';
import { geminiMethod } from './gemini.ts';
import { HttpProvider, joinUrl } from './http.ts';

/** The value that Vertex requires in place of the header `anthropic-version`. */
const ANTHROPIC_VERSION = 'vertex-2023-10-16';

/** The requests of Gemini clients that it accepts unchanged, in addition to those of its models. */
const RELAYED: ReadonlySet<Endpoint> = new Set<Endpoint>([
  'realtime.live',
  'gemini.count_tokens',
  'gemini.predict',
]);

/** A tuned Gemini model, deployed at an endpoint of the project. */
const ENDPOINT = /^endpoints\/[\w-]+$/;

export interface VertexOptions {
  readonly project: string;
  readonly location: string;
  /** The key file of a service account; the machine's own account by default. */
  readonly credentialsFile: string | undefined;
}

/**
 * Google Cloud's Vertex AI: Gemini in its own protocol, Claude in Anthropic's, the models of other publishers
 * ("meta/llama-...") in OpenAI's. Without a key it authenticates as a service account.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest
 */
export class VertexProvider extends HttpProvider<VertexOptions> {
  readonly #place: string;
  readonly #account: TokenAuth | undefined;

  constructor(services: Services<VertexOptions>) {
    super(services);
    const { project, location } = services.options;
    this.#place = `/v1/projects/${project}/locations/${location}`;
    if (services.keys.length === 0) this.#account = new TokenAuth(() => accountToken(services), services);
  }

  override get baseUrl(): string {
    return this.services.baseUrl ?? vertexHost(this.options.location);
  }

  override counts(model: string): CountingName | undefined {
    return this.protocol(model) === 'gemini' ? 'vertex' : undefined;
  }

  override protocol(model: string): ProtocolName {
    if (model.startsWith('claude-')) return 'messages';
    if (ENDPOINT.test(model)) return 'gemini';
    return model.includes('/') ? 'chat' : 'gemini';
  }

  protected override auth(request: Unsigned, signal: AbortSignal): HeaderFields | Promise<HeaderFields> {
    return this.#account ? this.#account.headers(request, signal) : super.auth(request, signal);
  }

  protected override get shownAuth(): HeaderFields {
    return this.#account ? { authorization: '[masked]' } : super.shownAuth;
  }

  override relays(endpoint: Endpoint, model: string): boolean {
    if (RELAYED.has(endpoint)) return this.protocol(model) === 'gemini';
    return super.relays(endpoint, model);
  }

  /** The models that Google and Anthropic publish; the project may not have access to all of them. */
  override get modelLists(): readonly URL[] {
    return ['google', 'anthropic'].map((publisher) =>
      joinUrl(this.baseUrl, `/v1beta1/publishers/${publisher}/models?pageSize=300`),
    );
  }

  protected override socketUrl(): URL {
    return joinUrl(this.baseUrl, '/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent');
  }

  override liveModel(model: string): string {
    return `${this.#place.slice('/v1/'.length)}/publishers/google/models/${model}`;
  }

  override embeddings(): EmbeddingProtocolName {
    return 'vertex';
  }

  protected override path(call: Called): string {
    const { endpoint, model, stream } = call;
    const protocol = this.protocol(model);
    if (protocol === 'chat') return `${this.#place}/endpoints/openapi/chat/completions`;
    const publisher = protocol === 'messages' ? 'anthropic' : 'google';
    const name = ENDPOINT.test(model)
      ? `${this.#place}/${model}`
      : `${this.#place}/publishers/${publisher}/models/${encodeURIComponent(model)}`;
    if (protocol === 'messages') return `${name}:${stream ? 'streamRawPredict' : 'rawPredict'}`;
    const predicts = endpoint === 'embeddings' || endpoint === 'gemini.predict';
    return `${name}:${predicts ? 'predict' : geminiMethod(call)}`;
  }

  protected override rewritten({ body, model }: Call): Steps<Call['body']> | undefined {
    return this.protocol(model) === 'messages' ? ofVertex(body) : undefined;
  }
}

/** A body that the proxy has already parsed is within its limits. */
const BOUNDS = {
  maxDepth: Infinity,
  maxValues: Infinity,
  maxFields: Infinity,
  maxObjectFields: Infinity,
};

/** A Messages request in Vertex's form: the model is in the URL, and the version in the body. */
function* ofVertex(body: Call['body']): Steps<Call['body']> {
  const text = typeof body === 'string' ? body : yield* decodeInSteps(body, false);
  const message = yield* parseInSteps(text, BOUNDS);
  if (!isObject(message)) return body;
  const { model: _, ...rest } = message;
  return yield* stringifyInSteps({ anthropic_version: ANTHROPIC_VERSION, ...rest });
}

/** The token request for the account in the configuration, the environment or the machine. */
async function accountToken(services: Services<VertexOptions>): Promise<TokenRequest> {
  const { name, options, env, readText, clock, hide } = services;
  const file = options.credentialsFile ?? env.GOOGLE_APPLICATION_CREDENTIALS;
  if (file === undefined) return metadataToken(env.GCE_METADATA_HOST ?? 'metadata.google.internal');
  const text = await readText(file).catch((cause: unknown) => unreadable(name, file, cause));
  return await serviceAccountToken(text, name, clock.now(), hide);
}

function unreadable(provider: string, file: string, cause: unknown): never {
  throw new ProxyError('auth', `Cannot sign in for ${provider}: ${file} cannot be read`, {
    target: provider,
    cause,
  });
}

/** The host of Vertex AI for a location. */
function vertexHost(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}
