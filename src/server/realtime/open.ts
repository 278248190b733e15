import type { Inbound } from '../../pipeline/inbound.ts';
import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Agreed } from '../../pipeline/realtime/realtime.ts';
import type { Terms } from '../../pipeline/realtime/terms.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Client, Shown } from '../client.ts';
import type { ServerBindings, ServerContext } from '../context.ts';
import { Abort } from '../../abort.ts';
import { ProxyError, toProxyError, statusOf } from '../../errors.ts';
import { finishFailed } from '../../pipeline/pipeline.ts';
import { requestHeaders, requestId } from '../../wire/headers.ts';
import { isObject, stringOf } from '../../wire/json.ts';
import { liveModel, setupOf } from '../../wire/realtime/gemini.ts';
import { parseMessage } from '../../wire/realtime/protocol.ts';
import { CLOSE } from '../../wire/websocket/close.ts';
import { contentFor, conversationOf, tagsOf } from '../content.ts';
import { callerLimits } from '../deadline.ts';
import { errorResponse } from '../error.ts';
import { headerText } from '../../wire/header-text.ts';
import { IDLE_SECONDS } from '../listen.ts';
import { addressOf } from '../network.ts';
import { permitModel, permitProvider } from '../permit.ts';
import { VIA, viaHere } from '../via.ts';
import { ClientEnd } from './client-end.ts';
import { agreedProtocol, spelledOut } from './credentials.ts';

type RealtimeEndpoint = 'realtime' | 'realtime.live';

/** Handles a request for a WebSocket; without a response if it was upgraded. */
export type Upgrade = (
  request: Request,
  headers: HeaderMap,
  bindings: ServerBindings,
) => Promise<Response | undefined>;

/** The longest User-Agent in a record, and model name, characters. */
const MAX_USER_AGENT = 200;
const MAX_MODEL = 2_048;

/** The interval at which a session's key is checked, milliseconds. */
const CHECK_MS = 1_000;

/** The state of a session request. */
interface Call {
  readonly request: Request;
  readonly headers: HeaderMap;
  readonly bindings: ServerBindings;
  /** Where it comes from; Bun no longer knows once it is a WebSocket. */
  readonly address: string | undefined;
  readonly endpoint: RealtimeEndpoint;
  readonly exchange: Exchange;
  readonly end: ClientEnd;
  /** Aborts it until it is a session. */
  readonly abort: Abort;
}

/**
 * Opens sessions. OpenAI's have their model in the URL: the WebSocket is accepted when a provider has begun the
 * session, so that a refusal is an ordinary HTTP response. Gemini's have it in the first message: the WebSocket is
 * accepted first.
 */
export function openSession(context: ServerContext, endpoint: RealtimeEndpoint): Upgrade {
  return async (request, given, bindings) => {
    const query = queryOf(request);
    const headers = spelledOut(given, query, endpoint);
    const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null;
    const exchange = context.begin(requestId(headers) ?? context.newId(), endpoint, userAgent, headers);
    const { abort, upgraded } = untilUpgraded(request);
    const end = new ClientEnd(context.limits.realtime.max_unsent);
    const address = addressOf(request, bindings.server);
    const call: Call = { request, headers, bindings, address, endpoint, exchange, end, abort };
    // Bun would close a silent connection while providers are called.
    bindings.server?.timeout(request, 0);
    try {
      const shown = await admitted(context, call);
      if (endpoint === 'realtime') {
        const agreed = await agree(context, call, shown, { model: modelIn(query), json: undefined });
        if (!upgrade(call)) {
          agreed.discard();
          throw notUpgraded();
        }
        upgraded();
        begin(context, call, agreed, { shown, sent: [] });
        return undefined;
      }
      if (!upgrade(call)) throw notUpgraded();
      upgraded();
      void beginLive(context, call, shown);
      return undefined;
    } catch (thrown) {
      bindings.server?.timeout(request, IDLE_SECONDS);
      const error = failed(context, exchange, thrown);
      const refusal = errorResponse(error, exchange);
      if (context.draining()) refusal.headers.set('connection', 'close');
      return refusal;
    }
  };
}

/**
 * Handles a plain HTTP request to the path of sessions: the same refusals as for a WebSocket, otherwise a message that
 * one is needed.
 * @throws ProxyError
 */
export async function refusePlain(
  context: ServerContext,
  request: Request,
  given: HeaderMap,
  endpoint: RealtimeEndpoint,
): Promise<never> {
  const query = queryOf(request);
  const client = await context.auth.client(spelledOut(given, query, endpoint), endpoint);
  if (endpoint === 'realtime') {
    const model = modelIn(query);
    permitModel(client, model);
    context.registry.resolve(model, endpoint, client.access);
  }
  throw new ProxyError('upgrade_required', 'Cannot begin a session: this path requires a WebSocket', {
    headers: { upgrade: 'websocket', connection: 'Upgrade' },
  });
}

function queryOf(request: Request): URLSearchParams {
  return new URLSearchParams(request.url.split('?')[1]?.split('#')[0] ?? '');
}

/** The model of a session: in OpenAI's parameter, or in Azure's. */
function modelIn(query: URLSearchParams): string {
  const model = query.get('model') ?? query.get('deployment') ?? '';
  return named(model, 'the query must name a model (?model=...)');
}

function named(model: string, lacking: string): string {
  if (model !== '' && model.length <= MAX_MODEL && model.isWellFormed()) return model;
  throw new ProxyError('invalid_request', `Cannot begin a session: ${lacking}`, { param: 'model' });
}

/**
 * Aborts when the client disconnects before the upgrade. Afterwards Bun's signal adds nothing to the WebSocket's own
 * events.
 */
function untilUpgraded({ signal }: Request): { readonly abort: Abort; readonly upgraded: () => void } {
  const abort = new Abort();
  let waits = true;
  const leave = () => {
    if (waits)
      abort.abort(new ProxyError('client_abort', 'Cannot begin the session: the client disconnected'));
  };
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  return { abort, upgraded: () => void (waits = false) };
}

async function admitted(context: ServerContext, { headers, endpoint, exchange }: Call): Promise<Shown> {
  if (context.draining()) throw new ProxyError('shutting_down', 'Cannot begin a session: shutting down');
  const client = await context.auth.client(headers, endpoint);
  const shown = context.auth.shownBy(client, headers);
  exchange.comesFrom({
    key: client.key,
    content: contentFor(context, client, headers),
    conversation: conversationOf(headers),
    group: client.group,
    labels: client.labels,
  });
  context.admit(exchange, 'begin a session');
  return shown;
}

/** Finds a provider that begins the session. */
async function agree(
  context: ServerContext,
  { headers, address, endpoint, exchange, abort }: Call,
  { client }: Shown,
  requested: { readonly model: string; readonly json: Inbound['json'] },
): Promise<Agreed> {
  const { model, json } = requested;
  permitModel(client, model);
  exchange.asks({ model, stream: true, text: undefined, user: null, tags: tagsOf(headers, {}) });
  const loading = context.ready();
  if (loading) await loading;
  context.running.add(abort, exchange);
  const { 'accept-encoding': _, ...travelling } = requestHeaders(headers, endpoint);
  travelling[VIA] = viaHere(headers, context.instance);
  const inbound: Inbound = {
    endpoint,
    caller: client.key,
    model,
    stream: true,
    form: 'events',
    contentType: 'application/json',
    bytes: new TextEncoder().encode(json?.text ?? ''),
    json,
    headers: travelling,
    ...callerLimits(headers),
  };
  return await context.realtime.open(inbound, exchange, {
    abort,
    requester: { caller: client, user: null, address: () => address },
    keeps: contentFor(context, client, headers) === 'full',
  });
}

function upgrade({ request, headers, bindings, exchange, end }: Call): boolean {
  const answer: Record<string, string> = { 'x-request-id': exchange.id, ...exchange.limitHeaders };
  const { target } = exchange;
  if (target) {
    answer['x-llmproxy-provider'] = target.provider.name;
    answer['x-llmproxy-model'] = headerText(target.model);
  }
  // Bun would always accept the first subprotocol by itself.
  answer['sec-websocket-protocol'] = agreedProtocol(headers) ?? '';
  return bindings.server?.upgrade?.(request, { data: end, headers: answer }) ?? false;
}

function begin(
  context: ServerContext,
  call: Call,
  agreed: Agreed,
  { shown, sent }: { readonly shown: Shown; readonly sent: readonly string[] },
): void {
  const { end, abort } = call;
  const session = agreed.begin(end, sent);
  checkAgain(context, call, { shown, terms: agreed.terms }, (error) => session.abort(error, CLOSE.policy));
  abort.onAbort(() => session.abort(toProxyError(abort.reason)));
  end.listen(session);
  if (context.draining()) session.drain();
}

/**
 * Ends a session whose key is revoked, rotated, disabled or expired meanwhile, and applies the lists and limits of the
 * current configuration.
 */
function checkAgain(
  context: ServerContext,
  call: Call,
  { shown, terms }: { readonly shown: Shown; readonly terms: Terms },
  refuse: (error: ProxyError) => void,
): void {
  const { now, clock } = context;
  const { endpoint, exchange } = call;
  let under = context;
  let cancel: () => void;
  const later = () => void (cancel = clock.after(CHECK_MS, check));
  const check = () => {
    try {
      const current = now();
      const client = current.auth.again(shown, endpoint);
      if (current !== under) goOn(current, call.exchange, client, terms);
      under = current;
      later();
    } catch (thrown) {
      refuse(toProxyError(thrown));
    }
  };
  later();
  exchange.finally(() => cancel());
}

/** @throws ProxyError `not_permitted` when its caller may no longer use the model or the provider */
function goOn({ limiter }: ServerContext, exchange: Exchange, client: Client, terms: Terms): void {
  permitModel(client, exchange.requested.model);
  permitProvider(client, exchange.target!.provider.name);
  terms.change({ caller: client, limiter });
}

/** Waits for the message that contains the model, and continues from there. */
async function beginLive(context: ServerContext, call: Call, shown: Shown): Promise<void> {
  const { end, exchange } = call;
  try {
    const setup = await firstMessage(context, call);
    const value = await context.turns.run(parseMessage(setup));
    const named = isObject(value) ? setupModel(value) : undefined;
    if (named === undefined || !isObject(value)) {
      const message = 'Cannot begin a session: its first message must be a setup that names a model';
      throw new ProxyError('invalid_request', message, { param: 'setup.model' });
    }
    const agreed = await agree(context, call, shown, { model: named, json: { text: setup, value } });
    if (end.isClosed) {
      agreed.discard();
      throw new ProxyError('client_abort', 'Cannot begin the session: the client disconnected');
    }
    begin(context, call, agreed, { shown, sent: [setup] });
  } catch (thrown) {
    const error = failed(context, exchange, thrown);
    end.close(closeCodeOf(error), error.message);
  }
}

/** The client's first message, within the timeout for a body. */
async function firstMessage({ clock, limits }: ServerContext, { end, abort }: Call): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const late = () =>
    reject(
      new ProxyError('request_timeout', 'Cannot begin a session: nothing arrived within limits.body_timeout'),
    );
  const cancel = clock.after(limits.body_timeout, late);
  abort.onAbort(() => reject(abort.reason));
  end.first(
    (message) => resolve(typeof message === 'string' ? message : Buffer.from(message).toString()),
    () => abort.abort(new ProxyError('client_abort', 'Cannot begin the session: the client disconnected')),
  );
  try {
    return await promise;
  } finally {
    cancel();
  }
}

function setupModel(message: JsonObject): string | undefined {
  const model = liveModel(stringOf(setupOf(message)?.model) ?? '');
  return model === '' ? undefined : named(model, 'the name of its model is too long');
}

function notUpgraded(): ProxyError {
  return new ProxyError(
    'invalid_request',
    'Cannot begin a session: the request is not a WebSocket handshake',
  );
}

function failed(context: ServerContext, exchange: Exchange, thrown: unknown): ProxyError {
  const error = toProxyError(thrown);
  if (error.fault === 'internal') {
    const { cause, message } = error;
    const details = cause instanceof Error ? (cause.stack ?? cause.message) : message;
    context.problem(`Request ${exchange.id}: ${details}`);
  }
  return finishFailed(exchange, error, statusOf(error));
}

/** The close frame for a session that is already a WebSocket, in place of an error response. */
function closeCodeOf({ fault, rule }: ProxyError): number {
  if (fault === 'shutting_down') return CLOSE.goingAway;
  if (rule.status === 400) return CLOSE.notText;
  if (rule.status < 500) return CLOSE.policy;
  return rule.status === 503 ? CLOSE.tryLater : CLOSE.internal;
}
