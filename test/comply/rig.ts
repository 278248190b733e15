/**
 * Runs the binary between a suite and a model of each protocol: the built-in mock, with adapters for
 * protocols that it does not have.
 */
import type { ConfigInput } from '../../src/config/schema.ts';
import { serveConfig } from '../helpers/binary.ts';
import { objectOf, parseJson } from '../../src/wire/json.ts';
import { chatAt } from './chat.ts';
import { cohere } from './cohere.ts';
import { converse } from './converse.ts';

/** The providers' protocols; each is also the name of a model. */
export const UPSTREAMS = ['mock', 'chat', 'responses', 'anthropic', 'gemini', 'bedrock', 'cohere'] as const;
export type UpstreamName = (typeof UPSTREAMS)[number];

export interface ComplyRig {
  /** The binary's URL. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts all servers on loopback. */
export async function startComply(): Promise<ComplyRig> {
  const quiet = { logging: { level: 'error', requests: { enabled: false } } } as const;
  const model = await serveConfig({ ...quiet, providers: [{ name: 'm', type: 'mock', models: ['mock'] }] });
  const ask = chatAt(model.url);
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const body = objectOf(parseJson(await request.text()));
      try {
        if (pathname.startsWith('/model/')) return await converse(pathname, body, ask);
        return await cohere(body, ask);
      } catch (error) {
        return Response.json({ message: (error as Error).message }, { status: 400 });
      }
    },
  });
  const other = `http://127.0.0.1:${server.port}`;
  const at = (name: UpstreamName, type: string, base_url: string) =>
    ({
      name,
      type,
      base_url,
      api_key: 'k',
      models: [{ name, upstream: 'mock' }],
    }) as ConfigInput['providers'][number];
  const proxy = await serveConfig({
    ...quiet,
    providers: [
      { name: 'mock', type: 'mock', models: ['mock'] },
      at('chat', 'openai-compatible', `${model.url}/v1`),
      at('responses', 'perplexity', `${model.url}/v1`),
      at('anthropic', 'anthropic', model.url),
      at('gemini', 'gemini', `${model.url}/v1beta`),
      at('bedrock', 'bedrock', other),
      at('cohere', 'cohere', other),
    ],
  });
  return {
    url: proxy.url,
    async stop() {
      for (const { process: child } of [proxy, model]) {
        child.kill('SIGTERM');
        await child.exited;
      }
      await server.stop(true);
    },
  };
}
