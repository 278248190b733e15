/** The endpoints that the proxy serves, as data: OpenAI's API and Anthropic's. */

export interface EndpointSpec {
  /** Path below the version prefix. */
  readonly path: string;
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
  'responses.compact': { path: '/responses/compact', family: 'chat', understood: false, streams: false },
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
  'embeddings',
];

/** Whether it is served by those alone whose preset names it: what it gives back is sealed, and no other could read it. */
export function isNamed(endpoint: Endpoint): boolean {
  return endpoint === 'responses.compact';
}

/** Whether a whole answer says why it ended. */
export function saysWhy(endpoint: Recorded): boolean {
  return ANSWERING.has(endpoint);
}

const ANSWERING: ReadonlySet<Recorded> = new Set(['chat', 'messages', 'responses', 'completions']);

export function isTranslated(endpoint: Endpoint): boolean {
  return TRANSLATED.includes(endpoint);
}
