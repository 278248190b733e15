import { rawClient } from './raw-client.ts';

export interface RawRequest {
  readonly method?: string;
  readonly version?: '1.0' | '1.1';
  /**
   * Names and values in the order in which they are sent; names may repeat. Without a `host`, the address is sent as
   * Host.
   */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sends no Host header. */
  readonly hostless?: boolean;
  readonly body?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, unchanged. */
  readonly head: string;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
  /** The body as JSON. */
  readonly json: () => unknown;
}

/** Sends one request on its own connection, with exactly the given headers: `fetch` sets and forbids some. */
export async function rawRequest(url: string, path: string, request: RawRequest = {}): Promise<RawAnswer> {
  const { method = 'GET', version = '1.1', headers = [], hostless = false, body = '' } = request;
  const named = hostless || headers.some(([name]) => name.toLowerCase() === 'host');
  const all = [
    ...(named ? [] : [['host', new URL(url).host] as const]),
    ...headers,
    ['content-length', String(Buffer.byteLength(body))] as const,
    ['connection', 'close'] as const,
  ];
  using client = await rawClient(url);
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  client.send(`${method} ${path} HTTP/${version}\r\n${lines}\r\n${body}`);
  await client.ended;
  const text = client.text();
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]),
    head,
    header: (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim(),
    body: text.slice(end + 4),
    json: () => JSON.parse(text.slice(end + 4)) as unknown,
  };
}

/** The type and the code of an error in OpenAI's shape, or the type in Anthropic's. */
export function errorIn(answer: RawAnswer): { type?: string; code?: string; message?: string } {
  return (answer.json() as { error?: { type?: string; code?: string; message?: string } }).error ?? {};
}
