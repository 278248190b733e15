import { Hono } from 'hono';
import type { Handler } from 'hono';
import { cors } from 'hono/cors';
import type { ServerBindings, ServerContext, ServerEnv } from './context.ts';
import type { Inference } from './inference.ts';
import type { App } from './listen.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { ENDPOINTS, PLAIN_ENDPOINTS, placeOf } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import { headerMap } from '../wire/headers.ts';
import { listedOrigins, pageGuard } from './browser.ts';
import { VERSIONS } from '../wire/gemini/path.ts';
import { errorResponse } from './error.ts';
import { geminiCalls, withKeyInQuery } from './gemini.ts';
import { takeFeedback } from './feedback.ts';
import { inference } from './inference.ts';
import { getModel, listModels } from './models.ts';
import { PASSED_METHODS, passOn } from './passthrough.ts';
import type { Upgrade } from './realtime/open.ts';
import { pathOf, usualPath } from './paths.ts';
import { openSession, refusePlain } from './realtime/open.ts';
import { serveOllama } from './ollama.ts';
import { ownKey } from './key.ts';
import { clientProtocol } from './client-protocol.ts';
import { health, live, metrics, providers, ready } from './ops.ts';
import { serveDocument, servePage } from './page/lazy-routes.ts';
import {
  addConversationItems,
  createConversation,
  deleteConversation,
  deleteConversationItem,
  getConversation,
  getConversationItem,
  listConversationItems,
  updateConversation,
} from './responses/conversations.ts';
import { openResponses, refusePlainGet } from './responses/socket/open.ts';
import { cancelResponse, deleteResponse, getResponse, listInputItems } from './responses/routes.ts';
import { serveInteractions } from './interactions.ts';
import { usage } from './usage.ts';

/** The routes, and the handlers of requests that do not arrive over HTTP. */
export interface ProxyApp extends App {
  /** The Responses API. */
  readonly responses: Inference;
}

/**
 * All routes on one page. Each is served with and without /v1, at the root and below `server.base_path`. Hono routes
 * all of them; if no middleware is configured, requests to models are matched by their path before it, at a tenth of
 * the cost.
 */
export function createApp(context: ServerContext): ProxyApp {
  const { cors: allowed, base_path } = context.server;
  const bases = new Set(['', base_path]);
  const models = new Map<string, Inference>();
  const versioned = [...bases].flatMap((base) => [...VERSIONS].map((version) => `${base}/${version}/`));
  /** Only paths of the APIs are corrected: what another server in front of this one hides must stay hidden. */
  const placeIn = (request: Request): string => {
    const path = pathOf(request);
    const usual = usualPath(path);
    const isApi =
      usual !== undefined && (models.has(usual) || versioned.some((prefix) => usual.startsWith(prefix)));
    return isApi ? usual : path;
  };
  const app = new Hono<ServerEnv>({ getPath: placeIn });
  // Load balancers use various names for these; the answer is a single word.
  for (const base of bases) {
    app.get(`${base}/health/live`, live);
    app.get(`${base}/health/ready`, ready(context));
  }
  const guard = pageGuard(context.server, context.auth.open);
  // A link on another site may lead here, unlike any other cross-origin request.
  for (const base of bases) serveDocument(app, context, { base, guard });
  app.use(async (c, next) => {
    guard(headerMap(c.req.raw.headers));
    await next();
    // A client that keeps its connection alive would send the next request to a socket that is being closed.
    if (context.draining()) c.res.headers.set('connection', 'close');
  });
  const upgrades = new Map<string, Upgrade>();
  if (allowed) {
    const listed = listedOrigins(allowed);
    const origin = allowed.origins.includes('*') ? '*' : (from: string) => (listed(from) ? from : null);
    app.use(cors({ origin, exposeHeaders: EXPOSED }));
  }
  for (const base of bases) {
    for (const prefix of PREFIXES.map((own) => base + own)) {
      for (const name of PLAIN_ENDPOINTS) {
        const path = (placeOf(name) === 'root' ? base : prefix) + ENDPOINTS[name].path;
        if (models.has(path)) continue;
        const answer = inference(context, name);
        models.set(path, answer);
        const take: Handler<ServerEnv> = ({ req, env }) => answer(req.raw, headerMap(req.raw.headers), env);
        app.post(path, take);
        // Azure's clients name the model in the path too.
        if (prefix === base) app.post(`${base}/openai/deployments/:name${ENDPOINTS[name].path}`, take);
      }
      app.post(`${prefix}/feedback`, takeFeedback(context));
      app.get(`${prefix}/key`, ownKey(context));
      app.get(`${prefix}/usage`, usage(context));
      storedRoutes(app, prefix, context);
      upgrades.set(`${prefix}/responses`, openResponses(context));
      app.get(`${prefix}/responses`, ({ req }) =>
        refusePlainGet(context, req.raw, headerMap(req.raw.headers)),
      );
      app.get(`${prefix}/models`, listModels(context));
      app.get(`${prefix}/models/*`, getModel(context));
    }
    for (const version of VERSIONS) {
      const below = `${base}/${version}`;
      for (const path of [below, `${below}/publishers/google`, `${below}/${PLACE}/publishers/google`]) {
        app.get(`${path}/models`, listModels(context));
        app.get(`${path}/models/*`, getModel(context));
      }
      const interactions = withKeyInQuery(inference(context, 'gemini.interactions'));
      models.set(`${below}/interactions`, interactions);
      app.post(`${below}/interactions`, ({ req, env }) =>
        interactions(req.raw, headerMap(req.raw.headers), env),
      );
      serveInteractions(app, `${below}/interactions`, context);
      app.get(`${below}/tunedModels`, listModels(context));
      app.get(`${below}/tunedModels/*`, getModel(context));
    }
    for (const [path, endpoint] of SESSIONS) {
      upgrades.set(base + path, openSession(context, endpoint));
      app.get(base + path, ({ req }) => refusePlain(context, req.raw, headerMap(req.raw.headers), endpoint));
    }
    serveOllama(app, context, base);
    app.get(`${base}/health`, health(context));
    app.get(`${base}/providers`, providers(context));
    app.on(PASSED_METHODS, `${base}/providers/:name/*`, passOn(context, `${base}/providers/`));
    app.get(`${base}/metrics`, metrics(context));
    servePage(app, context, base);
  }
  // Google's clients put the model into the path, where no pattern matches it: names contain slashes and colons.
  const called = geminiCalls(bases, (endpoint) => inference(context, endpoint));
  app.post('*', (c, next) => {
    const answer = called(c.req.raw, c.req.path);
    return answer ? answer(c.req.raw, headerMap(c.req.raw.headers), c.env) : next();
  });
  const known = new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ path }) => path));
  const plain = (request: Request, error: ProxyError) =>
    errorResponse(error, { id: context.newId(), attempts: [], endpoint: clientProtocol(request) });
  app.notFound((c) => {
    const { method, path } = c.req;
    return plain(
      c.req.raw,
      known.has(path) || called(c.req.raw, path)
        ? new ProxyError('method_not_allowed', `Cannot ${method} ${path}: the method is not allowed here`)
        : new ProxyError('unknown_route', `Cannot ${method} ${path}: there is nothing at this path`),
    );
  });
  app.onError((thrown, c) => plain(c.req.raw, toProxyError(thrown)));
  /** The response to a request that a page of another origin must not send. */
  const checked = (request: Request, headers: HeaderMap): Response | undefined => {
    try {
      guard(headers);
      return undefined;
    } catch (thrown) {
      const refusal = plain(request, toProxyError(thrown));
      if (context.draining()) refusal.headers.set('connection', 'close');
      return refusal;
    }
  };
  const upgrade = (request: Request, bindings: ServerBindings) => {
    // Google's clients send a duplicate slash.
    const open = upgrades.get(placeIn(request).replace(/^\/+/, '/'));
    if (!open) return undefined;
    const headers = headerMap(request.headers);
    const refusal = checked(request, headers);
    return refusal ? Promise.resolve(refusal) : open(request, headers, bindings);
  };
  const responses = models.get('/v1/responses')!;
  if (allowed) return Object.assign(app, { upgrade, responses });
  return {
    upgrade,
    responses,
    fetch(request: Request, bindings: ServerBindings) {
      const path = request.method === 'POST' ? placeIn(request) : undefined;
      const answer = path === undefined ? undefined : (models.get(path) ?? called(request, path));
      if (!answer) return app.fetch(request, bindings);
      const headers = headerMap(request.headers);
      return checked(request, headers) ?? answer(request, headers, bindings);
    },
  };
}

/** Vertex AI's paths. */
const PLACE = 'projects/:project/locations/:location';
/** Stored responses and conversations. */
function storedRoutes(app: Hono<ServerEnv>, prefix: string, context: ServerContext): void {
  const response = `${prefix}/responses/:id`;
  app.get(response, getResponse(context));
  app.delete(response, deleteResponse(context));
  app.post(`${response}/cancel`, cancelResponse(context));
  app.get(`${response}/input_items`, listInputItems(context));
  const conversation = `${prefix}/conversations/:id`;
  app.post(`${prefix}/conversations`, createConversation(context));
  app.get(conversation, getConversation(context));
  app.post(conversation, updateConversation(context));
  app.delete(conversation, deleteConversation(context));
  app.post(`${conversation}/items`, addConversationItems(context));
  app.get(`${conversation}/items`, listConversationItems(context));
  app.get(`${conversation}/items/:item`, getConversationItem(context));
  app.delete(`${conversation}/items/:item`, deleteConversationItem(context));
}

/** Response headers that programs in a web page may read: those in docs/http-api.md. */
const EXPOSED = [
  'x-request-id',
  ...[
    'provider',
    'model',
    'attempts',
    'cost',
    'dropped',
    'answer-dropped',
    'redacted',
    'instead',
    'warning',
  ].map((name) => `x-llmproxy-${name}`),
  'x-llmproxy-upstream-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  ...['limit', 'remaining', 'reset'].flatMap((what) => [
    `x-ratelimit-${what}-requests`,
    `x-ratelimit-${what}-tokens`,
    `anthropic-ratelimit-requests-${what}`,
    `anthropic-ratelimit-tokens-${what}`,
  ]),
];

/** What precedes the endpoints' paths; the last is that of Groq's clients and of Azure's current ones. */
const PREFIXES = ['/v1', '', '/openai/v1'] as const;

/** The paths of realtime sessions: OpenAI's and Azure's, and Gemini's by version. */
const SESSIONS = [
  ...['/v1', '', '/openai/v1', '/openai'].map((prefix) => [`${prefix}/realtime`, 'realtime'] as const),
  ...['v1beta', 'v1alpha', 'v1'].map(
    (version) =>
      [
        `/ws/google.ai.generativelanguage.${version}.GenerativeService.BidiGenerateContent`,
        'realtime.live',
      ] as const,
  ),
];
