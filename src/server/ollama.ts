/** The parts of Ollama's API besides inference: information, and what a proxy does not support. */
import type { Context, Handler, Hono } from 'hono';
import type { JsonObject } from '../wire/json.ts';
import type { Client } from './client.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError } from '../errors.ts';
import { commonContextWindow } from '../wire/context-window.ts';
import { isObject, stringOf } from '../wire/json.ts';
import { plainName } from '../wire/ollama/names.ts';
import { guarded } from './guarded.ts';
import { permitModel } from './permit.ts';

/** The version of Ollama whose API this is: clients require a minimum version. */
const VERSION = '0.13.5';

/** Ollama's greeting, by which clients detect it. */
const RUNNING = 'Ollama is running';

/** The endpoints that manage models. */
const CHANGES = ['pull', 'push', 'create', 'copy', 'delete'] as const;

/** A request body that only names a model is short, bytes. */
const MAX_BODY = 64 * 1024;

export function serveOllama(app: Hono<ServerEnv>, context: ServerContext, base: string): void {
  app.get(base === '' ? '/' : base, (c) => c.text(RUNNING));
  app.get(
    `${base}/api/version`,
    guarded(context, (c) => c.json({ version: VERSION })),
  );
  app.get(`${base}/api/tags`, listTags(context));
  // Nothing is loaded, and nothing needs to be.
  app.get(
    `${base}/api/ps`,
    guarded(context, (c) => c.json({ models: [] })),
  );
  app.post(`${base}/api/show`, showModel(context));
  for (const change of CHANGES) app.on(['POST', 'DELETE'], `${base}/api/${change}`, refuse(context, change));
  app.on(['HEAD', 'POST'], `${base}/api/blobs/*`, refuse(context, 'create'));
}

function listTags(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, (c, { access }) =>
    c.json({ models: context.registry.names(access).map(({ id, ownedBy }) => tagOf(id, ownedBy)) }),
  );
}

/** A model in a list. Its digest only identifies it; nothing is known about its files. */
function tagOf(id: string, ownedBy: string): object {
  return {
    name: id,
    model: id,
    modified_at: UNKNOWN_TIME,
    size: 0,
    digest: Bun.SHA256.hash(id, 'hex'),
    details: detailsOf(ownedBy),
  };
}

const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

function detailsOf(family: string): object {
  return {
    parent_model: '',
    format: '',
    family,
    families: [family],
    parameter_size: '',
    quantization_level: '',
  };
}

function showModel(context: ServerContext): Handler<ServerEnv> {
  return async (c, next) => {
    const body = await modelBody(c);
    return await guarded(context, (inner, client) => inner.json(described(context, body, client)))(c, next);
  };
}

function described({ registry }: ServerContext, body: JsonObject | undefined, client: Client): object {
  const given = stringOf(body?.model) || stringOf(body?.name);
  if (!given)
    throw new ProxyError('invalid_request', 'Cannot show a model: "model" must name one', { param: 'model' });
  const name = plainName(given, (model) => registry.lists(model));
  permitModel(client, name);
  const { provider, model, offer } = registry.find(name, client.access);
  const window = offer.contextWindow ?? commonContextWindow(model);
  const family = provider.name;
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(family),
    model_info: {
      'general.architecture': family,
      'general.basename': name,
      ...(window === undefined ? {} : { [`${family}.context_length`]: window }),
    },
    capabilities: [
      // The features that a client may request. Whether the model supports them is up to its provider.
      ...(provider.serves('ollama.chat', model) ? ['completion', 'tools', 'vision', 'thinking'] : []),
      ...(provider.serves('ollama.embed', model) ? ['embedding'] : []),
    ],
    modified_at: UNKNOWN_TIME,
  };
}

/** The body of a short request, as far as it can be read. */
async function modelBody(c: Context<ServerEnv>): Promise<JsonObject | undefined> {
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY) return undefined;
  try {
    const text = await c.req.text();
    const value: unknown = text.length > MAX_BODY ? undefined : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // A body that cannot be parsed names no model, which is the reported error.
    return undefined;
  }
}

function refuse(context: ServerContext, change: string): Handler<ServerEnv> {
  return guarded(context, () => {
    throw new ProxyError(
      'unsupported',
      `Cannot ${change} models here: the proxy serves those that its configuration names; use the Ollama server itself`,
    );
  });
}
