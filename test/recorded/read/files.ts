import type { Json } from './json.ts';
import type { Api, Recorded } from './exchange.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from './json.ts';
import { bodyOf, headersOf, inflated, requestOf, textOf } from './exchange.ts';
import { frameEvents, frameOf } from './frames.ts';

type Origin = Pick<Recorded, 'file' | 'provider'>;

/** Paths for files that name none, by API. */
const PATHS: Readonly<Record<Api, string>> = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  gemini: '/v1beta/models/m:generateContent',
  converse: '/model/m/converse',
  cohere: '/v2/chat',
};

/** Recognizes the API of a body or an event by its shape. */
export function looksLike(value: unknown): Api | undefined {
  if (!isObject(value)) return undefined;
  const type = stringOf(value.type) ?? '';
  if (value.object === 'response' || type.startsWith('response.')) return 'responses';
  if (value.candidates !== undefined) return 'gemini';
  if (value.choices !== undefined) return value.object === 'text_completion' ? undefined : 'chat';
  if (value.output !== undefined && value.stopReason !== undefined) return 'converse';
  if (['messageStart', 'contentBlockDelta', 'contentBlockStart'].some((key) => key in value))
    return 'converse';
  if (/^(?:message-start|content-start|tool-call-start|tool-plan-delta)$/.test(type)) return 'cohere';
  if (value.type === 'message' || /^(?:message|content_block)_/.test(type)) return 'messages';
  return value.finish_reason !== undefined && isObject(value.message) ? 'cohere' : undefined;
}

function bare(origin: Origin, api: Api, body: Uint8Array, type: string): Recorded {
  const headers = new Headers({ 'content-type': type });
  const url = PATHS[api];
  return { ...origin, at: 0, method: 'POST', url, request: undefined, status: 200, headers, body };
}

/** Reads one event per line, without the original framing; a file may contain the streams of several turns. */
export function chunks(text: string, origin: Origin): Recorded[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const api = lines.map((line) => looksLike(parseJson(line))).find((each) => each !== undefined);
  if (!api) return [];
  const turns: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('{"type":"response.created"') && turns.at(-1)!.length > 0) turns.push([]);
    turns.at(-1)!.push(line);
  }
  return turns.map((turn, at) => ({ ...bare(origin, api, streamOf(turn, api), 'text/event-stream'), at }));
}

function streamOf(lines: readonly string[], api: Api): Uint8Array {
  if (api === 'converse') return Buffer.concat(lines.flatMap((line) => framesIn(objectOf(parseJson(line)))));
  const named = api === 'messages' || api === 'responses' || api === 'cohere';
  const events = lines.map((line) => {
    const event = parseJson(line);
    const name = named && isObject(event) ? `event: ${String(event.type)}\n` : '';
    return `${name}data: ${line}\n\n`;
  });
  return new TextEncoder().encode(events.join('') + (api === 'chat' ? 'data: [DONE]\n\n' : ''));
}

/** In JSON, AWS events are under their names. */
function framesIn(event: Json): Uint8Array[] {
  return Object.entries(event).flatMap(([name, value]) => (isObject(value) ? [frameOf(name, value)] : []));
}

/**
 * Bedrock's `invoke` uses the format of the model's vendor, and frames the events of its streams: converts it to an
 * exchange in that format, if this project speaks it.
 */
export function invoked(recorded: Recorded): Recorded {
  if (!/\/invoke(?:-with-response-stream)?$/.test(recorded.url) || recorded.status >= 300) return recorded;
  if (recorded.body[0] !== 0) {
    const api = looksLike(parseJson(textOf(recorded.body)));
    return api ? { ...recorded, url: PATHS[api] } : recorded;
  }
  const lines = frameEvents(recorded.body).map(({ bytes }) =>
    Buffer.from(String(bytes), 'base64').toString(),
  );
  const [inside] = chunks(lines.join('\n'), recorded);
  return inside ? { ...recorded, url: inside.url, headers: inside.headers, body: inside.body } : recorded;
}

/** Reads an unchanged stream. */
export function events(text: string, origin: Origin): Recorded[] {
  const first = /^data: ?(\{.*\})\s*$/m.exec(text)?.[1];
  const api = looksLike(parseJson(first ?? ''));
  return api ? [bare(origin, api, new TextEncoder().encode(text), 'text/event-stream')] : [];
}

/** Reads a JSON file: an exchange in DataDog's format or ours, Google's recordings, or only a body. */
export function json(text: string, origin: Origin): Recorded[] {
  const value = parseJson(text);
  if (Array.isArray(value)) return value.flatMap((each) => json(JSON.stringify(each), origin));
  if (!isObject(value)) return [];
  if (Array.isArray(value.interactions)) {
    return value.interactions.filter(isObject).map((each, at) => google(each, at, origin));
  }
  if (isObject(value.request) && isObject(value.response)) {
    return [exchange(value.request, value.response, origin)];
  }
  const api = looksLike(value);
  return api ? [bare(origin, api, new TextEncoder().encode(text), 'application/json')] : [];
}

function exchange(request: Json, response: Json, origin: Origin): Recorded {
  const { body } = response;
  const base64 =
    typeof body === 'string' && body.startsWith('base64:') ? body.slice('base64:'.length) : undefined;
  return {
    ...origin,
    at: 0,
    method: stringOf(request.method) ?? 'POST',
    url: stringOf(request.url) ?? stringOf(request.path) ?? '',
    request: requestOf(request.body),
    status: numberOf(objectOf(response.status).code) ?? numberOf(response.status) ?? 200,
    headers: headersOf(response.headers),
    body: base64 === undefined ? bodyOf(body) : inflated(new Uint8Array(Buffer.from(base64, 'base64'))),
  };
}

/** Google's recorder stores each chunk separately. */
function google({ request, response }: Json, at: number, origin: Origin): Recorded {
  const asked = objectOf(request);
  const answered = objectOf(response);
  const segments = listOf(answered.bodySegments);
  const url = stringOf(asked.url) ?? '';
  const stream = url.includes('alt=sse');
  const text = stream
    ? segments.map((segment) => `data: ${JSON.stringify(segment)}\n\n`).join('')
    : JSON.stringify(segments[0] ?? {});
  return {
    ...origin,
    at,
    method: stringOf(asked.method) ?? 'POST',
    url,
    request: requestOf(listOf(asked.bodySegments)[0]),
    status: numberOf(answered.statusCode) ?? 200,
    headers: headersOf(answered.headers),
    body: new TextEncoder().encode(text),
  };
}

/** Reads a list of exchanges as nock writes them. */
export function nock(text: string, origin: Origin): Recorded[] {
  return listOf(parseJson(text))
    .filter(isObject)
    .filter(({ path }) => typeof path === 'string')
    .map((each, at) => ({
      ...origin,
      at,
      method: stringOf(each.method) ?? 'POST',
      url: stringOf(each.path) ?? '',
      request: requestOf(each.body),
      status: numberOf(each.status) ?? 200,
      headers: headersOf(each.rawHeaders),
      body: bodyOf(Array.isArray(each.response) ? each.response.join('') : each.response),
    }));
}
