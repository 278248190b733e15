/** The endpoints that the proxy serves, as data: OpenAI's API, Anthropic's, Gemini's and Ollama's own. */

export interface EndpointSpec {
  /** Path below the version prefix, or as `at` says. */
  readonly path: string;
  /**
   * `model` where the path names the model and what is done with it, so that it is found by its form; `root` where it has no
   * version before it.
   */
  readonly at?: 'model' | 'root';
  /** The family a provider's preset lists when it serves the endpoint. */
  readonly family:
    | 'chat'
    | 'completions'
    | 'embeddings'
    | 'moderations'
    | 'images'
    | 'audio'
    | 'rerank'
    | 'realtime'
    | 'live';
  /** Whether the answer is read for content, usage and finish reason, or only passed on. */
  readonly understood: boolean;
  /** Whether its answer may be a stream. */
  readonly streams: boolean;
}

export const ENDPOINTS = {
  chat: { path: '/chat/completions', family: 'chat', understood: true, streams: true },
  messages: { path: '/messages', family: 'chat', understood: true, streams: true },
  'messages.count_tokens': {
    path: '/messages/count_tokens',
    family: 'chat',
    understood: true,
    streams: false,
  },
  responses: { path: '/responses', family: 'chat', understood: true, streams: true },
  'responses.input_tokens': {
    path: '/responses/input_tokens',
    family: 'chat',
    understood: true,
    streams: false,
  },
  'responses.compact': { path: '/responses/compact', family: 'chat', understood: true, streams: false },
  gemini: {
    path: '/models/{model}:generateContent',
    at: 'model',
    family: 'chat',
    understood: true,
    streams: true,
  },
  'gemini.count_tokens': {
    path: '/models/{model}:countTokens',
    at: 'model',
    family: 'chat',
    understood: true,
    streams: false,
  },
  'gemini.embed': {
    path: '/models/{model}:embedContent',
    at: 'model',
    family: 'embeddings',
    understood: true,
    streams: false,
  },
  'gemini.batch_embed': {
    path: '/models/{model}:batchEmbedContents',
    at: 'model',
    family: 'embeddings',
    understood: true,
    streams: false,
  },
  'gemini.predict': {
    path: '/models/{model}:predict',
    at: 'model',
    family: 'embeddings',
    understood: true,
    streams: false,
  },
  'ollama.chat': { path: '/api/chat', at: 'root', family: 'chat', understood: true, streams: true },
  'ollama.generate': { path: '/api/generate', at: 'root', family: 'chat', understood: true, streams: true },
  'ollama.embed': { path: '/api/embed', at: 'root', family: 'embeddings', understood: true, streams: false },
  'ollama.embeddings': {
    path: '/api/embeddings',
    at: 'root',
    family: 'embeddings',
    understood: true,
    streams: false,
  },
  completions: { path: '/completions', family: 'completions', understood: true, streams: true },
  embeddings: { path: '/embeddings', family: 'embeddings', understood: true, streams: false },
  moderations: { path: '/moderations', family: 'moderations', understood: false, streams: false },
  'images.generations': { path: '/images/generations', family: 'images', understood: false, streams: true },
  'images.edits': { path: '/images/edits', family: 'images', understood: false, streams: true },
  'images.variations': { path: '/images/variations', family: 'images', understood: false, streams: false },
  'audio.speech': { path: '/audio/speech', family: 'audio', understood: false, streams: true },
  'audio.transcriptions': {
    path: '/audio/transcriptions',
    family: 'audio',
    understood: false,
    streams: true,
  },
  'audio.translations': { path: '/audio/translations', family: 'audio', understood: false, streams: false },
  rerank: { path: '/rerank', family: 'rerank', understood: false, streams: false },
  realtime: { path: '/realtime', family: 'realtime', understood: true, streams: true },
  /** Gemini's Live API, whose path has a version of its own in its name. */
  'realtime.live': { path: '/ws/BidiGenerateContent', family: 'live', understood: true, streams: true },
} as const satisfies Record<string, EndpointSpec>;

export type Endpoint = keyof typeof ENDPOINTS;

/** What a record may be of: a request to a model, words about one, or a request that only passes. */
export type Recorded = Endpoint | 'feedback' | 'passthrough';

export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as Endpoint[];

/** Endpoints that are asked by one request with a body. */
export const HTTP_ENDPOINTS = ENDPOINT_NAMES.filter((name) => !isRealtime(name));

/** Those of them that have a path of their own, whatever the model. */
export const PLAIN_ENDPOINTS = HTTP_ENDPOINTS.filter((name) => placeOf(name) !== 'model');

/** Where the path of an endpoint is; `undefined` below the version. */
export function placeOf(endpoint: Endpoint): EndpointSpec['at'] {
  const spec: EndpointSpec = ENDPOINTS[endpoint];
  return spec.at;
}

/** Whether an endpoint is a WebSocket. */
export function isRealtime(endpoint: Recorded): endpoint is 'realtime' | 'realtime.live' {
  return endpoint === 'realtime' || endpoint === 'realtime.live';
}

/** Endpoints that other protocols have a counterpart of, so that any provider can answer them. */
const TRANSLATED: readonly Endpoint[] = [
  'chat',
  'messages',
  'messages.count_tokens',
  'responses',
  'responses.input_tokens',
  'responses.compact',
  'embeddings',
  'gemini',
  'gemini.count_tokens',
  'gemini.embed',
  'gemini.batch_embed',
  'gemini.predict',
  'ollama.chat',
  'ollama.generate',
  'ollama.embed',
  'ollama.embeddings',
];

/** Whether a whole answer says why it ended. */
export function saysWhy(endpoint: Recorded): boolean {
  return endpoint === 'completions' || isTalk(endpoint);
}

/** Whether a model is told something there and answers, in a protocol that has a canonical form. */
export function isTalk(endpoint: Recorded): endpoint is Talk {
  return TALKS.has(endpoint);
}

export type Talk = 'chat' | 'messages' | 'responses' | 'gemini' | 'ollama.chat' | 'ollama.generate';

const TALKS: ReadonlySet<Recorded> = new Set<Talk>([
  'chat',
  'messages',
  'responses',
  'gemini',
  'ollama.chat',
  'ollama.generate',
]);

/** Whether texts become vectors there. */
export function isEmbedding(endpoint: Recorded): boolean {
  return endpoint in ENDPOINTS && ENDPOINTS[endpoint as Endpoint].family === 'embeddings';
}

/** Whether only tokens are counted there. */
export function isCount(endpoint: Recorded): boolean {
  return COUNTS.has(endpoint);
}

const COUNTS: ReadonlySet<Recorded> = new Set<Endpoint>([
  'messages.count_tokens',
  'responses.input_tokens',
  'gemini.count_tokens',
]);

export function isTranslated(endpoint: Endpoint): boolean {
  return TRANSLATED.includes(endpoint);
}
