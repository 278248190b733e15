/** What a test of a plugin imports from 'llmproxy/testing'. */
import type { BaseProvider } from '../providers/base.ts';
import type { Services } from '../providers/services.ts';
import type { ChatMessage, ChatRequest } from '../wire/chat.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { schema } from '../config/schema.ts';
import { Call } from '../providers/call.ts';
import { ProviderFactory } from '../providers/factory.ts';
import { systemClock } from '../clock.ts';
import { connectPool } from '../providers/connect.ts';

export { chatStream, completion, pieces, sse, upstream } from './upstream.ts';
export type { Received, Script, Upstream } from './upstream.ts';

/** A class of providers, as a plugin exports it. */
export interface TestedClass<Options> {
  readonly type: string;
  readonly endpoints?: readonly string[];
  new (services: Services<Options>): BaseProvider<Options>;
}

/** What the configuration would say of a provider. */
export interface TestedSettings<Options> {
  /** As the schema of its class gives them. */
  readonly options?: Options;
  readonly keys?: readonly string[];
  readonly baseUrl?: string;
  readonly models?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A provider of a class, as the proxy makes it. What it logs is thrown away. */
export function provider<Options, Made extends BaseProvider<Options>>(
  make: TestedClass<Options> & (new (services: Services<Options>) => Made),
  { options, keys = [], baseUrl, models = ['test'], env = {} }: TestedSettings<Options> = {},
): Made {
  const { type, endpoints = ['chat'] } = make;
  const written = { name: 'test', type, models: [...models], base_url: baseUrl, options };
  const config = schema.shape.providers.element.parse(written);
  const plugin = { name: 'test', failed: () => undefined };
  const factory = new ProviderFactory({
    clock: systemClock,
    env,
    keysOf: () => keys,
    readText: (path) => Bun.file(path).text(),
    learn: () => undefined,
    log: () => undefined,
    connect: connectPool,
    userAgent: 'llmproxy/test',
    plugins: new Map([[type, { plugin, make: make as never, endpoints }]]),
  });
  return factory.create(config) as Made;
}

/** A call as the proxy makes it. @param request a chat's, or that of another endpoint */
export function call(
  request: Partial<ChatRequest> | readonly ChatMessage[],
  { endpoint = 'chat' as Endpoint, key = 0 } = {},
): Call {
  const body: Partial<ChatRequest> = Array.isArray(request) ? { messages: request } : { ...request };
  const { model = 'test', stream } = body;
  const asked = {
    endpoint,
    body: JSON.stringify({ ...body, model }),
    contentType: 'application/json',
    headers: {},
  };
  return new Call(asked, model, stream === true, { key, fresh: false });
}
