/** Requests, and answers of a provider, that are heavy in one way each. */
import { gzipSync } from 'node:zlib';

/** A request of one kind. Its answer is chosen by the model's name, which is the kind's. */
export interface HeavyRequest {
  readonly path: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

type Making = () => HeavyRequest;

const MB = 1_000_000;
const user = (content: unknown) => ({ role: 'user', content });

function chat(more: object, messages: unknown = [user('hello')]): Making {
  return () => ({ path: '/v1/chat/completions', body: JSON.stringify({ model: 'up/x', messages, ...more }) });
}

/** JSON as it stands, for what JSON.stringify would not write. */
function raw(fields: () => string, model = 'up/x'): Making {
  return () => ({
    path: '/v1/chat/completions',
    body: `{"model":"${model}","messages":[{"role":"user","content":"hello"}],${fields()}}`,
  });
}

function counted(content: () => unknown): Making {
  return () => ({
    path: '/v1/messages/count_tokens',
    body: JSON.stringify({ model: 'up/x', messages: content() }),
  });
}

/** A small request whose answer is heavy. @param model provider/answer */
function asking(model: string, more: object = {}, path = '/v1/chat/completions'): Making {
  return () => ({
    path,
    body: JSON.stringify({ model, messages: [user('hello')], input: 'hello', max_tokens: 9, ...more }),
  });
}

function many<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

const picture = (bytes: number) => [
  user([{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(bytes)}` } }]),
];
const turns = (count: number) =>
  many(count, (n) => (n % 2 ? { role: 'assistant', content: 'ok' } : user('hello')));
const calls = (count: number) =>
  many(count, (n) => [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: `call_${n}`, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    },
    { role: 'tool', tool_call_id: `call_${n}`, content: 'done' },
  ]).flat();

/** Requests that are heavy themselves. */
const REQUESTS: Readonly<Record<string, Making>> = {
  'count 2 MB of one letter': counted(() => [user('a'.repeat(2 * MB))]),
  'count 2 MB of spaces': counted(() => [user(' '.repeat(2 * MB))]),
  'count 30 MB of words': counted(() => [user('some words of a prompt, '.repeat(1.25 * MB))]),
  'count 15,000 messages': counted(() => turns(15_000)),
  'a picture of 20 MB': chat({}, picture(20 * MB)),
  'a picture of 20 MB, translated': chat({ model: 'claude/x' }, picture(20 * MB)),
  '30 MB of CJK': chat({}, [user('語'.repeat(10 * MB))]),
  '30 MB of escapes': chat({}, [user('\n'.repeat(15 * MB))]),
  '30 MB of \\u escapes': raw(() => `"x":"${String.raw`\u0041`.repeat(5 * MB)}"`),
  '200,000 messages': chat({}, turns(200_000)),
  '30,000 messages, translated': chat({ model: 'claude/x' }, turns(30_000)),
  '12,000 messages with calls, Gemini': chat({ model: 'gem/x' }, [user('hello'), ...calls(6_000)]),
  '10 million empty objects': raw(() => `"x":[${'{},'.repeat(10 * MB)}{}]`),
  '15 million numbers': raw(() => `"x":[${'1,'.repeat(15 * MB)}1]`),
  '900,000 numbers, embedded': () => ({
    path: '/v1/embeddings',
    body: `{"model":"up/x","input":[[${'123456,'.repeat(0.9 * MB)}1]]}`,
  }),
  '1 million fields': raw(() => `"x":{${many(MB, (n) => `"k${n}":1`).join(',')}}`),
  '1 million fields at the top': raw(() => many(MB, (n) => `"k${n}":1`).join(',')),
  '100,000 levels': raw(() => `"x":${'['.repeat(100_000)}${']'.repeat(100_000)}`),
  '15 million levels': raw(() => `"x":${'['.repeat(15 * MB)}${']'.repeat(15 * MB)}`),
  '15 million levels, cut': raw(() => `"x":${'['.repeat(15 * MB)}`),
  '15 MB on many lines': () => ({
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: 'up/x', messages: turns(60_000) }, null, 8),
  }),
  '30 MB of white space': raw(() => `"x":${' '.repeat(30 * MB)}1`),
  '2 million model keys': raw(
    () => `"x":[${'{"model":1},'.repeat(60_000)}1],"y":"${'"model"'.replaceAll('"', '\\"').repeat(MB)}"`,
  ),
  backslashes: raw(() => `"x":"${String.raw`\\`.repeat(15 * MB)}"`),
  'a gzip bomb': () => ({
    path: '/v1/chat/completions',
    body: Uint8Array.from(gzipSync(Buffer.alloc(300 * MB, 32))),
    headers: { 'content-encoding': 'gzip' },
  }),
  '30 MB in gzip': () => ({
    path: '/v1/chat/completions',
    body: Uint8Array.from(gzipSync(JSON.stringify({ model: 'up/x', messages: picture(30 * MB) }))),
    headers: { 'content-encoding': 'gzip' },
  }),
  'a form of 30 MB of parts': () => ({
    path: '/v1/audio/transcriptions',
    body: `${'--x\r\na:b\r\n\r\n\r\n'.repeat(2 * MB)}--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nup/x\r\n--x--\r\n`,
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  }),
  'a form with a head of 30 MB': () => ({
    path: '/v1/audio/transcriptions',
    body: `--x\r\ncontent-disposition:${'content-disposition:'.repeat(1.5 * MB)}\r\n\r\nup/x\r\n--x--\r\n`,
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  }),
  'a form of 30 MB of delimiters': () => ({
    path: '/v1/audio/transcriptions',
    body: '--x'.repeat(10 * MB),
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  }),
  'a model of 2,000 letters': chat({ model: `a-${'-a'.repeat(999)}` }),
  'a model of 2,000 stars': chat({ model: '*'.repeat(2_000) }),
  'a header of 15 kB': () => ({
    ...chat({})(),
    headers: { 'x-llmproxy-via': 'a,'.repeat(7_000), accept: ' '.repeat(6_000) },
  }),
  'a password behind 1 MB of spaces': raw(() => `"password":${' '.repeat(MB)}1`),
  '10 MB like keys': chat({}, [user('sk-'.repeat(3 * MB))]),
  '10 MB like bearer tokens': chat({}, [user('Bearer '.repeat(1.4 * MB))]),
  '10 MB of braces': chat({}, [user('{ , '.repeat(2.5 * MB))]),
};

/** Requests whose answer is heavy. */
const ANSWERS: Readonly<Record<string, Making>> = {
  'an answer of 50 MB of text': asking('up/text'),
  'an answer of 50 MB of text, translated': asking('up/text', {}, '/v1/messages'),
  'an answer of 16 million objects': asking('up/objects'),
  'an answer of 100,000 levels': asking('up/deep'),
  'an answer of 100,000 levels, translated': asking('up/deep', {}, '/v1/messages'),
  '2,000 vectors': asking('up/vectors', {}, '/v1/embeddings'),
  '2,000 vectors, translated': asking('gem/vectors', {}, '/v1/embeddings'),
  'a drawing of 20 MB': asking('up/drawing', {}, '/v1/images/generations'),
  'probabilities of 16,000 tokens': asking('up/logprobs'),
  'an error of 64 KiB of titles': asking('up/titles'),
  'an error of 64 KiB of words': asking('up/retries'),
  'an error of 64 KiB of publishers': asking('up/publishers'),
  'a stream of 400,000 events': asking('up/tiny', { stream: true }),
  'a stream of 400,000 events, translated': asking('up/tiny', { stream: true }, '/v1/messages'),
  'a stream in bytes': asking('up/bytes', { stream: true }),
  'a stream of 128 choices': asking('up/choices', { stream: true, n: 128 }),
  'a stream of 128 choices, translated': asking('up/choices', { stream: true }, '/v1/messages'),
  'a stream of 200,000 pieces of one call': asking('up/pieces', { stream: true }),
  'a stream of 200,000 pieces of one call, translated': asking('up/pieces', { stream: true }, '/v1/messages'),
  'a stream of 200,000 pieces of one call, Responses': asking('up/pieces', { stream: true }, '/v1/responses'),
  'a stream with an event of 7 MB': asking('up/event', { stream: true }),
};

export const HEAVY: Readonly<Record<string, Making>> = { ...REQUESTS, ...ANSWERS };
