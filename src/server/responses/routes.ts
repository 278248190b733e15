import type { Handler } from 'hono';
import type { ServerContext, ServerEnv } from '../context.ts';
import { ProxyError } from '../../errors.ts';
import { addressOf } from '../network.ts';
import { ownLimits } from '../own-limits.ts';
import { events, json } from './answers.ts';
import { EventStream } from './event-stream.ts';
import { NotHere } from './not-stored.ts';
import { idIn, owned } from './owned.ts';
import { pagingOf } from './paging.ts';

/** GET /v1/responses/{id}: a stored response, or with ?stream=true its events after ?starting_after. */
export function getResponse(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    const shown = await stored.store.ask('responses', 'show', owner, id, context.clock.now());
    if (!shown) throw new NotHere('responses', id);
    if (c.req.query('stream') !== 'true') return json(shown.body);
    const after = numberIn(c.req.query('starting_after'));
    const request = c.req.raw;
    // Its client would not read it to the end.
    if (request.method === 'HEAD') return events(null);
    const server = c.env?.server;
    const over = stored.followers.take(owner === '' ? addressOf(request, server) : owner);
    const limited = ownLimits(context, request, server);
    const wanted = { owner, id, after, streams: shown.streams };
    const stream = new EventStream(wanted, stored, context.clock, () => {
      limited();
      over();
    });
    // A client may disconnect before it reads anything.
    request.signal.addEventListener('abort', () => stream.end());
    return events(stream.body());
  });
}

/** DELETE /v1/responses/{id} */
export function deleteResponse(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    stored.background.cancel(owner, id);
    if (!(await stored.store.ask('responses', 'remove', owner, id))) throw new NotHere('responses', id);
    return c.json({ id, object: 'response', deleted: true });
  });
}

/** POST /v1/responses/{id}/cancel: cancels a background response. */
export function cancelResponse(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    const shown = await stored.store.ask('background', 'cancel', owner, id, context.clock.now());
    if (!shown) throw new NotHere('responses', id);
    if (!shown.background)
      throw new ProxyError(
        'invalid_request',
        'Cannot cancel the response: it was not created with background: true',
      );
    stored.background.cancel(owner, id);
    return json(shown.body);
  });
}

/** GET /v1/responses/{id}/input_items: its input, including the earlier conversation. */
export function listInputItems(context: ServerContext): Handler<ServerEnv> {
  return owned(context, async ({ c, owner, stored }) => {
    const id = idIn(c.req.param('id'));
    const page = await stored.store.ask(
      'responses',
      'inputsText',
      owner,
      id,
      pagingOf(c),
      context.clock.now(),
    );
    if (page === undefined) throw new NotHere('responses', id);
    return json(page);
  });
}

/** @throws ProxyError `invalid_request` */
function numberIn(text: string | undefined): number {
  if (text === undefined || text === '') return -1;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ProxyError('invalid_request', 'Cannot read starting_after: expected the number of an event', {
    param: 'starting_after',
  });
}
