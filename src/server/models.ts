import type { Context, Handler } from 'hono';
import type { ModelName } from '../pipeline/routing/listed-names.ts';
import type { ModelRegistry } from '../pipeline/routing/models.ts';
import type { Access } from '../limits/access.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import type { Client } from './client.ts';
import { ProxyError } from '../errors.ts';
import { commonContextWindow } from '../wire/context-window.ts';
import { modelName, namesMethod } from '../wire/gemini/path.ts';
import { geminiModel, pageOf, publisherModel } from './gemini-models.ts';
import { permitModel } from './permit.ts';
import { guarded } from './guarded.ts';
import { clientProtocol } from './client-protocol.ts';

/** Anthropic's default page size for models. */
const PAGE = 20;
const MAX_PAGE = 1_000;

/** GET /v1/models: what the caller can request, in OpenAI's format or, for Anthropic's clients, in theirs. */
export function listModels(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, (c, client) => {
    const names = context.registry.names(client.access);
    if (clientProtocol(c.req.raw) === 'gemini') return c.json(geminiPage(context, c, client));
    if (clientProtocol(c.req.raw) === 'messages')
      return c.json(page(names, c, (name) => anthropicModel(name, context.registry, client.access)));
    return c.json({ object: 'list', data: names.map(openaiModel) });
  });
}

/** GET /v1/models/{id}: names with slashes as well, and names that only a glob matches. */
export function getModel(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, (c, client) => {
    const google = clientProtocol(c.req.raw) === 'gemini';
    const { path } = c.req;
    if (google && namesMethod(path))
      throw new ProxyError('method_not_allowed', `Cannot GET ${path}: a model is called by POST`);
    const id = google ? modelName(resourceIn(path)) : unescaped(path.slice(path.indexOf('/models/') + 8));
    permitModel(client, id);
    const { registry } = context;
    const { provider } = registry.find(id, client.access);
    if (google)
      return c.json(IN_VERTEX.test(path) ? publisherModel(id) : geminiModel(id, registry, client.access));
    const known = registry.names(client.access).find((name) => name.id === id);
    const model = known ?? { id, ownedBy: provider.name };
    return c.json(
      clientProtocol(c.req.raw) === 'messages'
        ? anthropicModel(model, registry, client.access)
        : openaiModel(model),
    );
  });
}

/** The location of models at Vertex AI. */
const IN_VERTEX = /\/publishers\/[^/]+\/models(?:\/|$)/;

/** The resource of a model, after the version and the project. */
function resourceIn(path: string): string {
  return /(?:publishers\/[^/]+\/models|models|tunedModels)\/.*$/s.exec(path)?.[0] ?? path;
}

/** A page in Google's format. @see https://ai.google.dev/api/models#method:-models.list */
function geminiPage(context: ServerContext, c: Context<ServerEnv>, { access }: Client): object {
  const { registry } = context;
  const { path } = c.req;
  const all = registry.names(access).map(({ id }) => id);
  const ids = all.filter((id) => id.startsWith('tunedModels/') === path.endsWith('/tunedModels'));
  const query = (name: string, other: string) => c.req.query(name) ?? c.req.query(other);
  const { shown, next } = pageOf(ids, {
    size: query('pageSize', 'page_size'),
    token: query('pageToken', 'page_token'),
  });
  const nextPage = next === undefined ? {} : { nextPageToken: next };
  if (IN_VERTEX.test(path)) return { publisherModels: shown.map(publisherModel), ...nextPage };
  const models = shown.map((id) => geminiModel(id, registry, access));
  return { [path.endsWith('/tunedModels') ? 'tunedModels' : 'models']: models, ...nextPage };
}

/** Invalid escapes are kept: no model has such a name. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function openaiModel({ id, ownedBy, created = 0 }: ModelName): object {
  return { id, object: 'model', created, owned_by: ownedBy };
}

/** Claude Code shortens a conversation in time if it knows the limits, which are those of the first target. */
function anthropicModel(
  { id, title = id, created = 0 }: ModelName,
  registry: ModelRegistry,
  access: Access,
): object {
  const { model, offer } = registry.find(id, access);
  return {
    type: 'model',
    id,
    display_name: title,
    created_at: new Date(created * 1_000).toISOString().replace('.000Z', 'Z'),
    // A name may stand for several targets, or be a glob: their abilities are not listed.
    capabilities: null,
    max_input_tokens: offer.contextWindow ?? commonContextWindow(model) ?? null,
    max_tokens: offer.maxOutput ?? null,
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  };
}

/** A page of models. @see https://docs.anthropic.com/en/api/models-list */
function page(
  models: readonly ModelName[],
  { req }: Context<ServerEnv>,
  described: (model: ModelName) => object,
): object {
  const ids = models.map(({ id }) => id);
  const { limit, after_id: after, before_id: before } = req.query();
  const size = Math.min(MAX_PAGE, Math.max(1, Math.floor(Number(limit)) || PAGE));
  const start = after === undefined ? 0 : ids.indexOf(after) + 1;
  const end = before === undefined ? ids.length : Math.max(0, ids.indexOf(before));
  const rest = models.slice(start, end);
  const shown = before === undefined ? rest.slice(0, size) : rest.slice(-size);
  return {
    data: shown.map(described),
    has_more: rest.length > shown.length,
    first_id: shown[0]?.id ?? null,
    last_id: shown.at(-1)?.id ?? null,
  };
}
