import type { Context, Handler } from 'hono';
import type { Client } from '../client.ts';
import type { ServerContext, ServerEnv } from '../context.ts';
import type { StoredService } from './service.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { headerMap } from '../../wire/headers.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Body } from '../body.ts';
import { bodyLimits, readBody } from '../body.ts';
import { errorResponse } from '../error.ts';
import { boundsOf, readJson } from '../json.ts';
import { ownerOf } from './not-stored.ts';
import { askElsewhere } from './elsewhere.ts';
import { NotHere } from './not-stored.ts';

/** A request about stored data of a caller. */
export interface OwnedCall {
  readonly c: Context<ServerEnv>;
  readonly client: Client;
  readonly owner: string;
  readonly stored: StoredService;
  /** The body as a JSON object; empty if there is none. */
  readonly body: () => Promise<{ readonly text: string; readonly value: JsonObject }>;
}

/** A route for stored data: for callers that may use the endpoint `responses`. */
export function owned(
  context: ServerContext,
  handle: (call: OwnedCall) => Promise<Response>,
): Handler<ServerEnv> {
  return async (c) => {
    const id = context.newId();
    let received: Body | undefined;
    try {
      const request = c.req.raw;
      const headers = headerMap(request.headers);
      const client = await context.auth.client(headers, 'responses');
      if (context.draining())
        throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
      const call = { request, headers, server: c.env?.server };
      const read = async () => (received ??= await readBody(request, bodyLimits(context, call, client)));
      const body = async () => {
        const { bytes } = await read();
        if (bytes.length === 0) return { text: '{}', value: {} };
        return await context.turns.run(readJson(bytes, boundsOf(context.limits)));
      };
      const { stored } = context;
      try {
        if (!stored) throw nothingHere(c);
        const response = await handle({ c, client, owner: ownerOf(client), stored, body });
        response.headers.set('x-request-id', id);
        response.headers.set('cache-control', 'no-store');
        return response;
      } catch (thrown) {
        if (!(thrown instanceof NotHere)) throw thrown;
        const { bytes } = request.method === 'POST' ? await read() : { bytes: undefined };
        return await askElsewhere(context, { ...call, id, client, body: bytes }, thrown);
      }
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal') context.problem(`Request ${id}: ${String(error.cause)}`);
      return errorResponse(error, { id, attempts: [], endpoint: 'responses' });
    } finally {
      received?.free();
    }
  };
}

/** The response if nothing is stored at all. */
function nothingHere({ req }: Context<ServerEnv>): NotHere {
  const of = /\/conversations(?:\/|$)/.test(req.path) ? 'conversations' : 'responses';
  const message = 'Cannot find it: responses are not stored here (responses.store)';
  return new NotHere(of, idIn(req.param('id')), message);
}

/** The id in a path; empty if it has none. */
export function idIn(id: string | undefined): string {
  return id ?? '';
}
