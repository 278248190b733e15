import type { Json } from './json.ts';
import type { Recorded } from './exchange.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from './json.ts';
import { bodyOf, headersOf, requestOf } from './exchange.ts';

type Origin = Pick<Recorded, 'file' | 'provider'>;

/**
 * Reads cassettes of vcr: in Ruby's, R's and Python's formats; langchain keeps requests and responses in separate
 * lists.
 */
export function cassette(text: string, origin: Origin): Recorded[] {
  const document = Bun.YAML.parse(text);
  if (!isObject(document)) return [];
  const { http_interactions, interactions, requests, responses } = document;
  const pairs = Array.isArray(requests)
    ? requests.map((request, at) => ({ request: request as unknown, response: listOf(responses)[at] }))
    : [...listOf(http_interactions), ...listOf(interactions)];
  return pairs.filter(isObject).map((pair, at) => interaction(pair, at, origin));
}

function interaction({ request, response }: Json, at: number, origin: Origin): Recorded {
  const asked = objectOf(request);
  const answered = objectOf(response);
  const status = objectOf(answered.status);
  const { parsed_body: parsed } = answered;
  return {
    ...origin,
    at,
    method: (stringOf(asked.method) ?? 'POST').toUpperCase(),
    url: (stringOf(asked.uri) ?? '').replace(/#stream$/, ''),
    request: requestOf(asked.parsed_body ?? contentOf(asked.body)),
    status: numberOf(status.code) ?? numberOf(answered.status) ?? numberOf(answered.status_code) ?? 200,
    headers: headersOf(answered.headers),
    body: parsed === undefined ? bodyOf(contentOf(answered.body)) : bodyOf(parsed),
  };
}

/** A body is in `string`, or in a field of its own as base64, or directly the value. */
function contentOf(body: unknown): unknown {
  if (!isObject(body)) return body;
  return body.string ?? body.base64_string ?? body.raw_gzip ?? body;
}
