/** Gemini's API: its paths contain the model and the method, and its keys may be in the query. */
import type { Endpoint } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { PathRequest } from './inbound.ts';
import type { Inference } from './inference.ts';
import { geminiCall } from '../wire/gemini/path.ts';

/** Handles a request whose path is a method of a model; `undefined` for every other. */
export type Called = (request: Request, path: string) => Inference | undefined;

/**
 * @param bases the paths below which the API is served
 * @param inferenceOf returns the handler of an endpoint
 */
export function geminiCalls(bases: Iterable<string>, inferenceOf: (endpoint: Endpoint) => Inference): Called {
  const answers = new Map<Endpoint, Inference>();
  return (request, path) => {
    for (const base of bases) {
      const call = path.startsWith(base) ? geminiCall(path.slice(base.length)) : undefined;
      if (!call) continue;
      const { endpoint, model, stream } = call;
      let answer = answers.get(endpoint);
      if (!answer) answers.set(endpoint, (answer = inferenceOf(endpoint)));
      const pathRequest: PathRequest = {
        model,
        stream,
        form: stream && !EVENTS.test(request.url) ? 'list' : 'events',
      };
      const answering = answer;
      return (given, headers, bindings) =>
        answering(given, withQueryKey(headers, given.url), bindings, pathRequest);
    }
    return undefined;
  };
}

/** The same for requests whose path is always the same. */
export function withKeyInQuery(answer: Inference): Inference {
  return (request, headers, bindings) => answer(request, withQueryKey(headers, request.url), bindings);
}

/** Without `alt=sse` the client gets a list. */
const EVENTS = /[?&](?:\$|%24)?alt=sse(?:[&#]|$)/i;

const KEY = /[?&]key=([^&#]*)/;

/** The headers of a Gemini request, including the key from its query if they have none. The query is not passed on. */
export function withQueryKey(headers: HeaderMap, url: string): HeaderMap {
  const [, key = ''] = KEY.exec(url) ?? [];
  if (key === '' || headers['x-goog-api-key'] !== undefined) return headers;
  return { ...headers, 'x-goog-api-key': unescaped(key) };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
