/** The endpoints of the proxy, as data: OpenAI's API, Anthropic's, Gemini's and Ollama's own. */

export interface EndpointSpec {
  /** The path below the version prefix, or as `at` says. */
  readonly path: string;
  /**
   * `model` if the path contains the model and a method, so that it is matched by its form; `root` if it is not below a
   * version prefix; `version` if it is below each version of Gemini's API.
   */
  readonly at?: 'model' | 'root' | 'version';
  /** The family in a provider's preset that includes the endpoint. */
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
  /** Whether the answer is parsed for content, usage and finish reason, or only passed on. */
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
  'gemini.interactions': {
    path: '/interactions',
    at: 'version',
    family: 'chat',
    understood: true,
    streams: true,
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
  /** Gemini's Live API, whose path contains a version within its name. */
  'realtime.live': { path: '/ws/BidiGenerateContent', family: 'live', understood: true, streams: true },
} as const satisfies Record<string, EndpointSpec>;

export type Endpoint = keyof typeof ENDPOINTS;

/** What a record may be about: a request to a model, feedback, or a request that is passed through. */
export type Recorded = Endpoint | 'feedback' | 'passthrough';

export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as Endpoint[];

/** Endpoints whose requests are HTTP requests with a body. */
export const HTTP_ENDPOINTS = ENDPOINT_NAMES.filter((name) => !isRealtime(name));

/** Those with a path that does not depend on the model. */
export const PLAIN_ENDPOINTS = HTTP_ENDPOINTS.filter(
  (name) => placeOf(name) !== 'model' && placeOf(name) !== 'version',
);

/** How the path of an endpoint is formed; `undefined` for the default. */
export function placeOf(endpoint: Endpoint): EndpointSpec['at'] {
  const spec: EndpointSpec = ENDPOINTS[endpoint];
  return spec.at;
}

/** Whether an endpoint is a WebSocket. */
export function isRealtime(endpoint: Recorded): endpoint is 'realtime' | 'realtime.live' {
  return endpoint === 'realtime' || endpoint === 'realtime.live';
}

/** Endpoints with a counterpart in other protocols, so that any provider can serve them. */
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
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
  'ollama.embed',
  'ollama.embeddings',
];

/** Whether a whole answer has a finish reason. */
export function saysWhy(endpoint: Recorded): boolean {
  return endpoint === 'completions' || isTalk(endpoint);
}

/** Whether the endpoint generates text in a protocol that has a canonical form. */
export function isTalk(endpoint: Recorded): endpoint is Talk {
  return TALKS.has(endpoint);
}

export type Talk =
  'chat' | 'messages' | 'responses' | 'gemini' | 'gemini.interactions' | 'ollama.chat' | 'ollama.generate';

const TALKS: ReadonlySet<Recorded> = new Set<Talk>([
  'chat',
  'messages',
  'responses',
  'gemini',
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
]);

/** Whether the endpoint computes embeddings. */
export function isEmbedding(endpoint: Recorded): boolean {
  return endpoint in ENDPOINTS && ENDPOINTS[endpoint as Endpoint].family === 'embeddings';
}

/** Whether the endpoint speaks or transcribes. */
export function isSound(endpoint: Recorded): boolean {
  return endpoint in ENDPOINTS && ENDPOINTS[endpoint as Endpoint].family === 'audio';
}

/** Whether the endpoint only counts tokens. */
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
