import type { Handler } from 'hono';
import type { ServerContext, ServerEnv } from '../context.ts';
import type { StoredConversation } from '../../stored/entries.ts';
import type { JsonObject } from '../../wire/json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject } from '../../wire/json.ts';
import type { OwnedCall } from './owned.ts';
import { json } from './answers.ts';
import { NotHere, notStored } from './not-stored.ts';
import { idIn, owned } from './owned.ts';
import { pagingOf } from './paging.ts';

/** The largest number of items per request, and of metadata entries, as OpenAI documents them. */
const MAX_ITEMS = 20;
const MAX_PAIRS = 16;
const MAX_NAME = 64;
const MAX_VALUE = 512;

/** POST /v1/conversations */
export function createConversation(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored, body }) => {
    const { text: request, value } = await body();
    checkItems(value.items ?? []);
    const id = `conv_${context.newId().slice('req_'.length)}`;
    const nowMs = context.clock.now();
    const begun = { id, metadata: metadataIn(value.metadata), request };
    const made = await stored.store.ask(
      'conversations',
      'createFrom',
      owner,
      begun,
      nowMs,
      nowMs + stored.ttlMs,
    );
    return c.json(shown(made));
  });
}

/** GET /v1/conversations/{id} */
export function getConversation(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async (call) => call.c.json(shown(await found(call))));
}

/** POST /v1/conversations/{id}: replaces the metadata. */
export function updateConversation(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async (call) => {
    const { c, owner, stored, body } = call;
    const { id } = await found(call);
    const metadata = metadataIn((await body()).value.metadata);
    const changed = await stored.store.ask('conversations', 'update', owner, id, metadata);
    if (!changed) throw new NotHere('conversations', id);
    return c.json(shown(changed));
  });
}

/** DELETE /v1/conversations/{id} */
export function deleteConversation(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    if (!(await stored.store.ask('conversations', 'remove', owner, id)))
      throw new NotHere('conversations', id);
    return c.json({ id, object: 'conversation.deleted', deleted: true });
  });
}

/** POST /v1/conversations/{id}/items */
export function addConversationItems(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored, body }) => {
    const id = idIn(c.req.param('id'));
    const { text: request, value } = await body();
    checkItems(value.items);
    const nowMs = context.clock.now();
    const data = await stored.store.ask(
      'conversations',
      'addFrom',
      owner,
      id,
      request,
      nowMs,
      nowMs + stored.ttlMs,
    );
    if (data === undefined) throw new NotHere('conversations', id);
    if (data === 'full') throw invalid('items', 'the conversation has the most items allowed');
    return json(data.list);
  });
}

/** GET /v1/conversations/{id}/items */
export function listConversationItems(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    const page = await stored.store.ask('conversations', 'listText', owner, id, pagingOf(c));
    if (page === undefined) throw new NotHere('conversations', id);
    return json(page);
  });
}

/** GET /v1/conversations/{id}/items/{item} */
export function getConversationItem(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async (call) => {
    const { c, owner, stored } = call;
    const { id } = await found(call);
    const item = idIn(c.req.param('item'));
    const one = await stored.store.ask('conversations', 'itemText', owner, id, item);
    if (one === undefined) throw notStored('Item', item);
    return json(one);
  });
}

/** DELETE /v1/conversations/{id}/items/{item} */
export function deleteConversationItem(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async (call) => {
    const { c, owner, stored } = call;
    const conversation = await found(call);
    const item = idIn(c.req.param('item'));
    const removed = await stored.store.ask('conversations', 'removeItem', owner, conversation.id, item);
    if (!removed) throw notStored('Item', item);
    return c.json(shown(conversation));
  });
}

async function found({ c, owner, stored }: OwnedCall): Promise<StoredConversation> {
  const id = idIn(c.req.param('id'));
  const conversation = await stored.store.ask('conversations', 'get', owner, id);
  if (!conversation) throw new NotHere('conversations', id);
  return conversation;
}

/** @see https://platform.openai.com/docs/api-reference/conversations/object */
function shown({ id, createdMs, metadata }: StoredConversation): object {
  return { id, object: 'conversation', created_at: Math.floor(createdMs / 1000), metadata };
}

/** @throws ProxyError `invalid_request` */
function checkItems(items: unknown): void {
  if (!Array.isArray(items) || !items.every(isObject)) throw invalid('items', 'expected a list of items');
  if (items.length > MAX_ITEMS) throw invalid('items', `at most ${MAX_ITEMS} can be added at once`);
}

function metadataIn(metadata: unknown): JsonObject {
  if (metadata === undefined || metadata === null) return {};
  if (!isObject(metadata)) throw invalid('metadata', 'expected an object of texts');
  const pairs = Object.entries(metadata);
  if (pairs.length > MAX_PAIRS) throw invalid('metadata', `at most ${MAX_PAIRS} pairs are kept`);
  for (const [name, value] of pairs) {
    if (typeof value !== 'string' || value.length > MAX_VALUE || name.length > MAX_NAME)
      throw invalid(
        `metadata.${name.slice(0, MAX_NAME)}`,
        `expected a text of at most ${MAX_VALUE} characters`,
      );
  }
  return metadata;
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}
