/** The endpoints of OpenAI's API that the proxy serves, as data. */

export interface EndpointSpec {
  /** Path below the version prefix, the same at every provider that speaks the protocol. */
  readonly path: string;
  /** The family a provider's preset lists when it serves the endpoint. */
  readonly family: 'chat' | 'completions' | 'embeddings' | 'moderations' | 'images' | 'audio' | 'rerank';
  /** Whether the answer is read for content, usage and finish reason, or only passed on. */
  readonly understood: boolean;
}

export const ENDPOINTS = {
  chat: { path: '/chat/completions', family: 'chat', understood: true },
  completions: { path: '/completions', family: 'completions', understood: true },
  embeddings: { path: '/embeddings', family: 'embeddings', understood: true },
  moderations: { path: '/moderations', family: 'moderations', understood: false },
  'images.generations': { path: '/images/generations', family: 'images', understood: false },
  'images.edits': { path: '/images/edits', family: 'images', understood: false },
  'images.variations': { path: '/images/variations', family: 'images', understood: false },
  'audio.speech': { path: '/audio/speech', family: 'audio', understood: false },
  'audio.transcriptions': { path: '/audio/transcriptions', family: 'audio', understood: false },
  'audio.translations': { path: '/audio/translations', family: 'audio', understood: false },
  rerank: { path: '/rerank', family: 'rerank', understood: false },
} as const satisfies Record<string, EndpointSpec>;

export type Endpoint = keyof typeof ENDPOINTS;

export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as Endpoint[];
