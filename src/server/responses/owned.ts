import type { Context, Handler } from 'hono';
import type { Client } from '../auth.ts';
import type { ServerContext, ServerEnv } from '../context.ts';
import type { StoredService } from './service.ts';
import { ProxyError, toProxyError } from '../../errors.ts';
import { headerMap } from '../../wire/headers.ts';
import type { JsonObject } from '../../wire/json.ts';
import { bodyLimits, readBody } from '../body.ts';
import { errorResponse } from '../error.ts';
import { boundsOf, readJson } from '../json.ts';
import { ownerOf } from './begin.ts';

/** A request about what a caller has stored. */
export interface OwnedCall {
  readonly c: Context<ServerEnv>;
  readonly client: Client;
  readonly owner: string;
  readonly stored: StoredService;
  /** The body as a JSON object; an empty one where there is none. */
  readonly body: () => Promise<{ readonly text: string; readonly value: JsonObject }>;
}

/** A page of what a caller has stored: for whoever may use the endpoint `responses`. */
export function owned(
  context: ServerContext,
  handle: (call: OwnedCall) => Promise<Response>,
): Handler<ServerEnv> {
  return async (c) => {
    const id = context.newId();
    let free = (): void => undefined;
    try {
      const headers = headerMap(c.req.raw.headers);
      const client = await context.auth.client(headers, 'responses');
      const { stored } = context;
      if (!stored)
        throw new ProxyError('not_stored', 'Cannot find it: responses are not stored here (responses.store)');
      if (context.draining())
        throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
      const body = async () => {
        const request = c.req.raw;
        const call = { request, headers, server: c.env?.server };
        const received = await readBody(request, bodyLimits(context, call, client));
        ({ free } = received);
        const { bytes } = received;
        if (bytes.length === 0) return { text: '{}', value: {} };
        return await context.turns.run(readJson(bytes, boundsOf(context.limits)));
      };
      const response = await handle({ c, client, owner: ownerOf(client), stored, body });
      response.headers.set('x-request-id', id);
      response.headers.set('cache-control', 'no-store');
      return response;
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal') context.problem(`Request ${id}: ${String(error.cause)}`);
      return errorResponse(error, { id, attempts: [], endpoint: 'responses' });
    } finally {
      free();
    }
  };
}
