import type { Handler } from 'hono';
import { z } from 'zod';
import type { Exchange } from '../pipeline/record/exchange.ts';
import type { Opinion } from '../pipeline/record/exchange-facts.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import type { Asking } from '../limits/asking.ts';
import { ProxyError, toProxyError, statusOf } from '../errors.ts';
import { finishFailed } from '../pipeline/pipeline.ts';
import { headerMap, requestId } from '../wire/headers.ts';
import { contentFor } from './content.ts';
import { errorResponse } from './error.ts';
import type { Called } from './body.ts';
import type { Client } from './client.ts';
import { addressOf } from './network.ts';
import { bodyLimits, readBody } from './body.ts';
import { atOnce } from '../turns.ts';
import { boundsOf, readJson } from './json.ts';
import { clientProtocol } from './client-protocol.ts';

const MAX_ID = 200;
const ACCEPTED = 202;

const correction = z.union([
  z.string().min(1),
  z.looseObject({
    role: z.literal('assistant'),
    content: z.unknown().optional(),
    tool_calls: z.array(z.unknown()).optional(),
  }),
]);

/** The content of feedback. A score from -1 to 1 has a neutral middle; its sign means good or bad. */
const feedback = z
  .strictObject({
    request_id: z.string().min(1).max(MAX_ID),
    score: z.number().min(-1).max(1).optional(),
    label: z
      .union([z.boolean(), z.enum(['good', 'bad'])])
      .transform((label) => (typeof label === 'boolean' ? label : label === 'good'))
      .optional(),
    correction: correction.optional(),
    comment: z.string().min(1).optional(),
  })
  .refine(
    ({ score, label, correction: better, comment }) =>
      [score, label, better, comment].some((field) => field !== undefined),
    {
      error: 'give score, label, correction or comment',
    },
  );

/**
 * POST /v1/feedback: the quality of an answer, as a line in the request log. It belongs to the caller, as all requests
 * do.
 */
export function takeFeedback(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    const request = c.req.raw;
    const headers = headerMap(request.headers);
    const exchange = context.begin(requestId(headers) ?? context.newId(), 'feedback', null, headers);
    try {
      const stored = await take(context, exchange, { request, headers, server: c.env?.server });
      if (!exchange.finish({ outcome: 'success', status: ACCEPTED }))
        throw new ProxyError(
          'unavailable',
          'Cannot keep the feedback: the request log accepts no more lines now',
          { retryAfterMs: 1_000 },
        );
      const { request_id: about, ...kept } = stored;
      const body = { object: 'feedback', id: exchange.id, request_id: about, stored: Object.keys(kept) };
      return c.json(body, ACCEPTED, { ...exchange.limitHeaders, 'x-request-id': exchange.id });
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.fault === 'internal') context.problem(`Request ${exchange.id}: ${error.message}`);
      finishFailed(exchange, error, statusOf(error));
      return errorResponse(error, { id: exchange.id, attempts: [], endpoint: clientProtocol(request) });
    }
  };
}

/** Decodes the feedback into the exchange. */
async function take(context: ServerContext, exchange: Exchange, call: Called): Promise<Opinion['feedback']> {
  const { headers } = call;
  if (context.refusing()) throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
  const client = await context.auth.client(headers, 'feedback');
  const content = contentFor(context, client, headers);
  exchange.comesFrom({ key: client.key, content, conversation: null });
  const { limits, logging } = context;
  if (!logging.enabled)
    throw new ProxyError(
      'unavailable',
      'Cannot keep the feedback: the request log is off (logging.requests.enabled)',
    );
  const { bytes, free } = await readBody(call.request, {
    ...bodyLimits(context, call, client),
    maxBytes: limits.max_feedback,
  });
  exchange.finally(free);
  exchange.received(bytes.length);
  const parsed = feedback.safeParse(atOnce(readJson(bytes, boundsOf(limits))).value);
  if (!parsed.success) throw refused(parsed.error);
  const { request_id, score, label, correction: better, comment } = parsed.data;
  await charge(context, exchange, call, client);
  // Comments are kept only if the content of requests is.
  const words = content === 'full';
  const given = {
    request_id,
    ...(score === undefined ? {} : { score }),
    ...(label === undefined ? {} : { label }),
    ...(words && better !== undefined ? { correction: better } : {}),
    ...(words && comment !== undefined ? { comment } : {}),
  };
  exchange.says({ score: score ?? null, feedback: given });
  return given;
}

/** It is a request: limits on requests count it, and it uses nothing else. @throws ProxyError `over_limit` */
async function charge(
  { limiter }: ServerContext,
  exchange: Exchange,
  call: Called,
  client: Client,
): Promise<void> {
  const asking: Asking = {
    caller: client,
    endpoint: 'feedback',
    model: '',
    targets: [],
    user: null,
    address: () => addressOf(call.request, call.server),
    expected: () => NOTHING,
    price: () => 0,
    allPriced: () => true,
  };
  const lease = await limiter.admitAfterAsking(asking);
  if (lease?.kind === 'instead') return lease.refuse();
  exchange.admitted(lease, () => NOTHING);
  if (lease) exchange.limitHeaders = lease.headers(false);
}

const NOTHING = { input: 0, output: 0, bounded: true };

function refused({ issues }: z.ZodError): ProxyError {
  const [issue] = issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const param = unknown ?? issue?.path.join('.') ?? '';
  const reason = unknown === undefined ? (issue?.message ?? 'it is not valid') : 'unknown field';
  return new ProxyError(
    'invalid_request',
    `Cannot read the feedback: ${param === '' ? '' : `"${param}": `}${lowered(reason)}`,
    param === '' ? {} : { param },
  );
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
