/** The module 'llmproxy/testing', for tests of plugins. */
import type { BaseProvider } from '../providers/base.ts';
import type { Services } from '../providers/services.ts';
import type { ChatRequest } from '../wire/chat.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { systemClock } from '../clock.ts';
import { schema } from '../config/schema.ts';
import { Call } from '../providers/call.ts';
import { connectPool } from '../providers/connect.ts';
import { ProviderFactory } from '../providers/factory.ts';

export { chatStream, completion, pieces, sse, upstream } from './upstream.ts';
export type { Received, Script, Upstream } from './upstream.ts';

/** A provider class, as a plugin exports it. */
export interface TestedClass<Options, Made extends BaseProvider<Options>> {
  readonly type: string;
  readonly options?: { parse(given: unknown): unknown };
  readonly endpoints?: readonly string[];
  new (services: Services<Options>): Made;
}

/** The configuration of a provider. */
export interface TestedSettings<Options> {
  /** Parsed by the schema of its class, which adds defaults. */
  readonly options?: Partial<Options>;
  readonly keys?: readonly string[];
  readonly baseUrl?: string;
  readonly models?: readonly string[];
  /** The environment variables. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * A provider constructed as by the proxy. Its log output is discarded. @throws as its schema does for invalid options
 */
export function provider<Options, Made extends BaseProvider<Options>>(
  make: TestedClass<Options, Made>,
  settings: TestedSettings<NoInfer<Options>> = {},
): Made {
  const { keys = [], baseUrl, models = ['test'], env = {} } = settings;
  const options = make.options ? make.options.parse(settings.options ?? {}) : settings.options;
  const { type, endpoints = ['chat'] } = make;
  const written = { name: 'test', type, models: [...models], base_url: baseUrl, options };
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
  return factory.create(schema.shape.providers.element.parse(written)) as unknown as Made;
}

/** A call as the proxy makes it, with the first key. @param request for chat, or for another endpoint */
export function call(request: Partial<ChatRequest>, endpoint: Endpoint = 'chat'): Call {
  const { model = 'test', stream } = request;
  const body = JSON.stringify({ ...request, model });
  const received = { endpoint, body, contentType: 'application/json', headers: {} };
  return new Call(received, model, stream === true, { key: 0, fresh: false });
}
