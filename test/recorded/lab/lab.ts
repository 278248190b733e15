/** The binary between clients and providers that replay recordings, all on loopback. */
import type { Client } from '../answers/compare.ts';
import type { Json } from '../read/json.ts';
import type { Asker } from '../requests/asking.ts';
import type { Asked, Reply } from './replay.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';
import type { VendorType } from './vendors.ts';
import { libraryOf, loadLibraries } from './libraries.ts';
import { replay } from './replay.ts';
import { VENDORS } from './vendors.ts';

/** What a client received, and the request that the provider received for it. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** What the official library made of it; `undefined` if the library is not installed. */
  readonly library: unknown;
  readonly libraryError: Error | undefined;
  readonly asked: readonly Asked[];
}

export interface Question {
  readonly client: Client;
  /** The body without its model. */
  readonly body: Json;
  readonly provider: string;
  readonly model: string;
  readonly reply: Reply;
}

export interface Lab extends AsyncDisposable {
  readonly ask: (question: Question) => Promise<Got>;
  /** Providers that were not used yet, for answers that cause a cooldown: each name once. */
  readonly fresh: (type: VendorType) => string;
  readonly url: string;
  /** Sends a request as a client, without a library. */
  readonly send: (client: Asker, body: Json, provider: string, model: string, reply: Reply) => Promise<Got>;
  /** Posts to an endpoint that these libraries do not call. */
  readonly post: (path: string, body: Json, provider: string, model: string, reply: Reply) => Promise<Got>;
}

export interface LabOptions {
  /** Starts the proxy with a configuration. @returns its URL */
  readonly serve: (config: ConfigInput) => Promise<{ url: string; stop: () => Promise<void> }>;
  /** How many fresh providers of a type may be requested. */
  readonly fresh?: Readonly<Partial<Record<VendorType, number>>>;
}

const PATHS = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  interactions: '/v1beta/interactions',
  ollama: '/api/chat',
};
/** For a prompt without a chat. */
const GENERATE = '/api/generate';

/** The path and the body of a client's request: Gemini has the model and the mode in the path. */
function posted(client: Asker, { model, stream, ...body }: Json): { path: string; body: Json } {
  if (client !== 'gemini')
    return {
      path: client === 'ollama' && body.messages === undefined ? GENERATE : PATHS[client],
      body: { model, ...(stream === undefined ? {} : { stream }), ...body },
    };
  const method = stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return { path: `/v1beta/models/${encodeURIComponent(String(model))}:${method}`, body };
}

export async function openLab({ serve, fresh = {} }: LabOptions): Promise<Lab> {
  await loadLibraries();
  const provider = replay();
  const at = (type: VendorType, name: string): ConfigInput['providers'][number] => ({
    name,
    type,
    base_url: `${provider.url}/${name}`,
    api_key: 'k-provider',
    models: ['*'],
    max_retries: 0,
    ...(type === 'vertex' ? { project: 'p' } : {}),
  });
  const spare = Object.entries(fresh).flatMap(([type, count = 0]) =>
    Array.from({ length: count }, (_, number) => at(type as VendorType, `${type}-${number}`)),
  );
  const proxy = await serve({
    providers: [...VENDORS.map(({ type }) => at(type, type)), ...spare],
    // The recorded failures are intended: none may put a provider on cooldown for the next ones.
    routing: { breaker: { failures: 1e6, min_calls: 1e6 }, wait_budget: '0s' },
    health: { probe: 'never' },
    logging: { level: 'error', requests: { enabled: false } },
  });
  const taken = new Map<string, number>();
  const keeping = async (
    question: Omit<Question, 'client'>,
    run: (fetched: typeof fetch) => Promise<unknown>,
  ) => {
    provider.set(question.provider, question.reply);
    let kept: Pick<Got, 'status' | 'headers' | 'body'> | undefined;
    const through = (async (input: string | URL | Request, init?: RequestInit) => {
      const reply = await fetch(input, init);
      const body = await bytesOf(reply);
      kept = { status: reply.status, headers: reply.headers, body };
      return new Response(body, { status: reply.status, headers: reply.headers });
    }) as typeof fetch;
    let library: unknown;
    let libraryError: Error | undefined;
    try {
      library = await run(through);
    } catch (cause) {
      libraryError = cause as Error;
    }
    if (!kept) throw new Error(`nothing was answered: ${String(libraryError?.message)}`);
    return { ...kept, library, libraryError, asked: provider.asked(question.provider) };
  };
  const post = (path: string, body: Json) => async (through: typeof fetch) => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer k-client' };
    await through(proxy.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return undefined;
  };
  return {
    url: proxy.url,
    async ask(question) {
      const { client, provider: name, model } = question;
      const body = { ...question.body, model: `${name}/${model}` };
      return await keeping(question, async (through) => {
        const library = libraryOf(client, proxy.url, through);
        const sent = posted(client, body);
        return await (library ? library(body) : post(sent.path, sent.body)(through));
      });
    },
    async post(path, body, name, model, reply) {
      const named = { ...body, model: `${name}/${model}` };
      return await keeping({ body, provider: name, model, reply }, post(path, named));
    },
    async send(client, body, name, model, reply) {
      const sent = posted(client, { ...body, model: `${name}/${model}` });
      return await keeping({ body, provider: name, model, reply }, post(sent.path, sent.body));
    },
    fresh(type) {
      const number = taken.get(type) ?? 0;
      taken.set(type, number + 1);
      if (number >= (fresh[type] ?? 0)) throw new Error(`there is no fresh provider of type ${type} left`);
      return `${type}-${number}`;
    },
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      await provider[Symbol.asyncDispose]();
    },
  };
}

/** Everything that arrived, even if the connection broke. */
async function bytesOf(reply: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of reply.body ?? []) pieces.push(piece as Uint8Array);
  } catch {
    // The bytes before the break are the result.
  }
  return Buffer.concat(pieces);
}
