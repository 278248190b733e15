/** Runs the compiled binary between the clients and scripted upstreams, all on loopback. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Dialect, Upstream } from './upstream.ts';
import { serveConfig } from '../helpers/binary.ts';
import { serveUpstream } from './upstream.ts';
import { anthropic } from './upstreams/anthropic.ts';
import { bedrock } from './upstreams/bedrock.ts';
import { chat } from './upstreams/chat.ts';
import { cohere } from './upstreams/cohere.ts';
import { gemini } from './upstreams/gemini.ts';
import { responses } from './upstreams/responses.ts';

export const DIALECTS: readonly Dialect[] = [anthropic, chat, responses, gemini, bedrock, cohere];

export interface Rig extends AsyncDisposable {
  readonly url: string;
  readonly upstreams: Readonly<Record<string, Upstream>>;
}

/**
 * The suffix of each model's second name: a 429 puts that target on cooldown, which must not affect other
 * tests.
 */
export const LIMITED = '-limited';

export async function setUp(dialects = DIALECTS): Promise<Rig> {
  const upstreams = Object.fromEntries(dialects.map((dialect) => [dialect.name, serveUpstream(dialect)]));
  const providers = Object.values(upstreams).flatMap(({ url, dialect }): ConfigInput['providers'] => {
    const { name, type, model, base } = dialect;
    const common = { type, base_url: url + base, api_key: `key-of-${name}`, max_retries: 0 };
    return [
      { ...common, name, models: [model] },
      { ...common, name: name + LIMITED, models: [model + LIMITED] },
    ];
  });
  // The tests cause errors on purpose, so no breaker may open.
  const breaker = { failures: 1_000, min_calls: 1_000 };
  const serving = await serveConfig({
    providers: [...providers, { name: 'mock', type: 'mock' }],
    routing: { breaker, wait_budget: '0s' },
    health: { probe: 'never' },
    logging: { level: 'error' },
  });
  return {
    url: serving.url,
    upstreams,
    async [Symbol.asyncDispose]() {
      serving.process.kill('SIGKILL');
      for (const upstream of Object.values(upstreams)) await upstream[Symbol.asyncDispose]();
    },
  };
}
