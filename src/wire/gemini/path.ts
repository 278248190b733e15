import type { Endpoint } from '../endpoints.ts';

/** What the path of a request says. */
export interface GeminiCall {
  readonly endpoint: Endpoint;
  /** Without `models/` before it. */
  readonly model: string;
  readonly stream: boolean;
}

/** What each method asks for. */
const METHODS: Readonly<Record<string, Pick<GeminiCall, 'endpoint' | 'stream'>>> = {
  generateContent: { endpoint: 'gemini', stream: false },
  streamGenerateContent: { endpoint: 'gemini', stream: true },
  countTokens: { endpoint: 'gemini.count_tokens', stream: false },
  embedContent: { endpoint: 'gemini.embed', stream: false },
  batchEmbedContents: { endpoint: 'gemini.batch_embed', stream: false },
  predict: { endpoint: 'gemini.predict', stream: false },
};

/** The versions of the API; `v1` is OpenAI's too. */
export const VERSIONS = ['v1beta', 'v1', 'v1alpha', 'v1beta1'] as const;

/**
 * A version, at Vertex AI a project and a location, then the model and what is done with it. Names of models have slashes and
 * colons too: what stands behind the last colon is the method.
 */
const CALL =
  /^\/v1(?:alpha|beta1?)?(?:\/projects\/[^/]+\/locations\/[^/]+)?\/(publishers\/[^/]+\/models|models|tunedModels)\/(.+):(\w+)$/;

/**
 * Paths that only Google's clients know, wherever they are served. Below /v1/models it is the method that tells them, which
 * is written in camel case where Ollama's tags (`llama3:8b`) are not.
 */
const OURS =
  /\/v1(?:alpha|beta1?)(?:\/|$)|\/v1\/(?:projects\/[^/]+\/locations|publishers|tunedModels)(?:\/|$)|\/v1\/models\/.+:(?:predict|[a-z]+[A-Z]\w*)$/;

/** @param path below the base path of the server; escapes may be in it */
export function geminiCall(path: string): GeminiCall | undefined {
  const [, collection = '', name = '', method = ''] = CALL.exec(path.replace(/%3a/gi, ':')) ?? [];
  const asked = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  return asked && { ...asked, model: modelName(`${collection}/${name}`) };
}

/** Whether a path says what is to be done with a model, whatever stands before it. */
export function namesMethod(path: string): boolean {
  const method = /:(\w+)$/.exec(path.replace(/%3a/gi, ':'))?.[1];
  return method !== undefined && Object.hasOwn(METHODS, method);
}

/** Whether only Gemini's clients ask at a path. */
export function isGeminiPath(path: string): boolean {
  return OURS.test(path.replace(/%3a/gi, ':'));
}

/**
 * A model's resource by the name that the configuration has for it: Google's own without a prefix, those of another publisher
 * with its name, and tuned ones as Google names them.
 */
export function modelName(resource: string): string {
  const [, publisher, name = ''] =
    /^(?:publishers\/([^/]+)\/)?models\/(.*)$/s.exec(unescaped(resource)) ?? [];
  const plain = name.replace(/^models\//, '');
  if (plain === '') return unescaped(resource);
  return publisher === undefined || publisher === 'google' ? plain : `${publisher}/${plain}`;
}

/** What is escaped badly stands for itself: no model has that name. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
