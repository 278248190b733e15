/** Gemini's API: its paths name the model and what is done with it, and its keys may stand in the query. */
import type { Endpoint } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { PathAsked } from './inbound.ts';
import type { Inference } from './inference.ts';
import { geminiCall } from '../wire/gemini/path.ts';

/** Answers a request that is a call of a model by its path; `undefined` for every other. */
export type Called = (request: Request, path: string) => Inference | undefined;

/**
 * @param bases below which the API is served
 * @param inferenceOf what answers the requests of an endpoint
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
      const asked: PathAsked = {
        model,
        stream,
        form: stream && !EVENTS.test(request.url) ? 'list' : 'events',
      };
      const answering = answer;
      return (given, headers, bindings) =>
        answering(given, withQueryKey(headers, given.url), bindings, asked);
    }
    return undefined;
  };
}

/** Who does not ask for events is given a list. */
const EVENTS = /[?&](?:\$|%24)?alt=sse(?:[&#]|$)/i;

const KEY = /[?&]key=([^&#]*)/;

/** The headers of a request of Gemini's API, with the key out of its query where they have none. It travels nowhere. */
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
