import type { Endpoint } from '../endpoints.ts';
import { entryOf } from '../json.ts';

/** The parsed path of a request. */
export interface GeminiCall {
  readonly endpoint: Endpoint;
  /** Without the prefix `models/`. */
  readonly model: string;
  readonly stream: boolean;
}

/** The endpoint of each method. */
const METHODS: Readonly<Record<string, Pick<GeminiCall, 'endpoint' | 'stream'>>> = {
  generateContent: { endpoint: 'gemini', stream: false },
  streamGenerateContent: { endpoint: 'gemini', stream: true },
  countTokens: { endpoint: 'gemini.count_tokens', stream: false },
  embedContent: { endpoint: 'gemini.embed', stream: false },
  batchEmbedContents: { endpoint: 'gemini.batch_embed', stream: false },
  predict: { endpoint: 'gemini.predict', stream: false },
};

/** The versions of the API; `v1` is also OpenAI's. */
export const VERSIONS = ['v1beta', 'v1', 'v1alpha', 'v1beta1'] as const;

/**
 * A version, which some clients leave to the base URL, at Vertex AI a project and a location, then the model and the method. Model names may contain slashes and
 * colons: the method follows the last colon.
 */
const CALL =
  /^(?:\/v1(?:alpha|beta1?)?)?(?:\/projects\/[^/]+\/locations\/[^/]+)?\/(publishers\/[^/]+\/models|models|tunedModels|endpoints)\/(.+):(\w+)$/;

/** The same where a client takes a name with a slash, such as that of a provider and its model, for a whole resource. */
const OF_RESOURCE = /^\/v1(?:alpha|beta1?)?\/([^/]+\/.+):(\w+)$/;

/**
 * Paths that only Google's clients use, wherever they are served. Below /v1/models the method distinguishes them: it is
 * in camel case, unlike Ollama's tags (`llama3:8b`).
 */
const OURS =
  /\/v1(?:alpha|beta1?)(?:\/|$)|\/v1\/(?:projects\/[^/]+\/locations|publishers|tunedModels)(?:\/|$)|\/v1\/models\/.+:(?:predict|[a-z]+[A-Z]\w*)$/;

/** @param path below the base path of the server; it may contain escapes */
export function geminiCall(path: string): GeminiCall | undefined {
  const plain = path.replace(/%3a/gi, ':');
  const [, collection, name, method = ''] = CALL.exec(plain) ?? [];
  const [, resource, other = ''] = collection === undefined ? (OF_RESOURCE.exec(plain) ?? []) : [];
  const found = entryOf(METHODS, method || other);
  return found && { ...found, model: modelName(resource ?? `${collection}/${name}`) };
}

/** Whether a path contains a method of a model. */
export function namesMethod(path: string): boolean {
  const method = /:(\w+)$/.exec(path.replace(/%3a/gi, ':'))?.[1];
  return method !== undefined && Object.hasOwn(METHODS, method);
}

/** Whether only Gemini's clients use a path. */
export function isGeminiPath(path: string): boolean {
  return OURS.test(path.replace(/%3a/gi, ':'));
}

/**
 * The resource of a model by its name in the configuration: Google's own without a prefix, other publishers' with the
 * publisher's name, and tuned models as Google names them.
 */
export function modelName(resource: string): string {
  const [, publisher, name = ''] =
    /^(?:publishers\/([^/]+)\/)?models\/(.*)$/s.exec(unescaped(resource)) ?? [];
  const plain = name.replace(/^models\//, '');
  if (plain === '') return unescaped(resource);
  return publisher === undefined || publisher === 'google' ? plain : `${publisher}/${plain}`;
}

/** Invalid escapes are kept: no model has such a name. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
