/** Requests and provider answers, each expensive in one particular way. */
import { gzipSync } from 'node:zlib';

/** A request of one kind. The provider chooses its answer by the model name, which is the kind's name. */
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

/** JSON text inserted verbatim, for what JSON.stringify would not write. */
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

/** A small request whose answer is expensive. @param model provider/answer */
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

const fields = (count: number) => Object.fromEntries(many(count, (n) => [`k${n}`, n]));
/** A list of objects, each with this many fields. */
const objects = (count: number, each: number) => JSON.stringify(many(count, () => fields(each)));

/** A call with each of the given arguments, and the results of all calls. */
function called(calls: readonly string[], content = 'done') {
  return calls.flatMap((text, n) => [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: `call_${n}`, type: 'function', function: { name: 'f', arguments: text } }],
    },
    { role: 'tool', tool_call_id: `call_${n}`, content },
  ]);
}

/** Requests that are expensive themselves. */
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
  '12,000 messages with calls, Gemini': chat({ model: 'gem/x' }, [
    user('hello'),
    ...called(many(6_000, () => '{"a":1}')),
  ]),
  '10 million empty objects': raw(() => `"x":[${'{},'.repeat(10 * MB)}{}]`),
  '15 million numbers': raw(() => `"x":[${'1,'.repeat(15 * MB)}1]`),
  'an item of 30,000 texts, in a conversation': () => ({
    path: '/v1/conversations',
    body: JSON.stringify({
      items: [
        {
          ...user(many(30_000, (n) => ({ type: 'input_text', text: `${n} ${'word\n'.repeat(150)}` }))),
          type: 'message',
        },
      ],
    }),
  }),
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
  'white space behind a key, translated': raw(() => `"x"${' '.repeat(30 * MB)}:1`, 'claude/x'),
  'a text of 30 MB of escapes alone': () => ({
    path: '/v1/chat/completions',
    body: `"${String.raw`\n`.repeat(15 * MB)}"`,
  }),
  '30 MB of texts of escapes, translated': chat(
    { model: 'claude/x' },
    many(8, () => user('\n'.repeat(1.8 * MB))),
  ),
  'a number of 30 million digits': raw(() => `"x":${'1'.repeat(30 * MB)}`),
  'a name of 30 MB': raw(() => `"${'k'.repeat(30 * MB)}":1`),
  'a name of 900,000 letters': raw(() => `"${'k'.repeat(900_000)}":{"x":1}`),
  '99,000 distinct names': raw(() => `"x":${objects(10, 9_900)}`),
  '99,000 distinct names, rewritten': raw(
    () => `"max_completion_tokens":9,"x":${objects(10, 9_800)}`,
    'deepseek/x',
  ),
  '99,000 distinct names, translated': chat({
    model: 'claude/x',
    tools: many(10, () => ({
      type: 'function',
      function: { name: 'f', parameters: { properties: fields(9_800) } },
    })),
  }),
  '9,900 names at the top, translated': raw(() => many(9_900, (n) => `"k${n}":1`).join(','), 'claude/x'),
  '9,900 numbers as names at the top, translated': raw(
    () => many(9_900, (n) => `"${n * 7_919}":1`).join(','),
    'claude/x',
  ),
  'messages with 89,000 numbers as names, translated': () => ({
    path: '/v1/chat/completions',
    body: JSON.stringify({
      model: 'claude/x',
      messages: many(9, (n) => ({
        ...user('hello'),
        ...Object.fromEntries(many(9_900, (at) => [(n * 9_900 + at) * 7_919, 1])),
      })),
    }),
  }),
  'backslashes and a second model key': raw(() => `"y":{"model":1},"x":"${String.raw`\\`.repeat(15 * MB)}"`),
  '30 MB of arguments of one call, translated': chat({ model: 'claude/x' }, [
    user('hello'),
    ...called([JSON.stringify(fields(1_400_000))]),
  ]),
  '30 MB of arguments of 60 calls, translated': chat({ model: 'claude/x' }, [
    user('hello'),
    ...called(many(60, () => JSON.stringify(fields(30_000)))),
  ]),
  '30 MB of results of 60 calls, Gemini': chat({ model: 'gem/x' }, [
    user('hello'),
    ...called(
      many(60, () => '{}'),
      JSON.stringify(fields(30_000)),
    ),
  ]),
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
  'a model of 1,000 emoji': chat({ model: '\u{1f600}'.repeat(1_000) }),
  'a header of 15 kB': () => ({
    ...chat({})(),
    headers: { 'x-llmproxy-via': 'a,'.repeat(7_000), accept: ' '.repeat(6_000) },
  }),
  'a password behind 1 MB of spaces': raw(() => `"password":${' '.repeat(MB)}1`),
  '10 MB like keys': chat({}, [user('sk-'.repeat(3 * MB))]),
  '10 MB like bearer tokens': chat({}, [user('Bearer '.repeat(1.4 * MB))]),
  '10 MB of braces': chat({}, [user('{ , '.repeat(2.5 * MB))]),
};

/** A Messages request with calls whose input contains this many texts of escaped characters. */
const inputs =
  (calls: number, texts: number): Making =>
  () => ({
    path: '/v1/messages',
    body: JSON.stringify({
      model: 'up/x',
      max_tokens: 9,
      messages: [
        user('hello'),
        ...many(calls, (n) => [
          {
            role: 'assistant',
            content: [
              {
                type: 'tool_use',
                id: `call_${n}`,
                name: 'f',
                input: { list: many(texts, () => '\n'.repeat(1_000)) },
              },
            ],
          },
          user([{ type: 'tool_result', tool_use_id: `call_${n}`, content: 'done' }]),
        ]).flat(),
      ],
    }),
  });

const TRANSLATED: Readonly<Record<string, Making>> = {
  '30 MB of what calls of Messages are given': inputs(30, 500),
  'the same of one call': inputs(1, 15_000),
};

/** A request to the Gemini API. */
function gemini(contents: () => unknown, model = 'up/x', method = 'generateContent'): Making {
  return () => ({
    path: `/v1beta/models/${model}:${method}`,
    body: JSON.stringify({ contents: contents() }),
  });
}

/** A request to the Ollama API. */
function ollama(messages: () => unknown, more: object = {}): Making {
  return () => ({
    path: '/api/chat',
    body: JSON.stringify({ model: 'up/x', stream: false, messages: messages(), ...more }),
  });
}

const said = (text: string, role = 'user') => ({ role, parts: [{ text }] });
const hello = () => [said('hello')];
const drawn = (bytes: number) => ({ inlineData: { mimeType: 'image/png', data: 'A'.repeat(bytes) } });
const acted = (n: number, args: unknown) => [
  { role: 'model', parts: [{ functionCall: { id: `call_${n}`, name: 'f', args } }] },
  { role: 'user', parts: [{ functionResponse: { id: `call_${n}`, name: 'f', response: { ok: true } } }] },
];

/** Requests of Gemini and Ollama clients. */
const OTHERS: Readonly<Record<string, Making>> = {
  'Gemini: a picture of 20 MB, translated': gemini(() => [{ role: 'user', parts: [drawn(20 * MB)] }]),
  'Gemini: 12,000 turns, translated': gemini(() =>
    many(12_000, (n) => said('hello', n % 2 ? 'model' : 'user')),
  ),
  'Gemini: 30 MB of CJK, translated': gemini(() => [said('語'.repeat(10 * MB))]),
  'Gemini: 3,000 calls, translated': gemini(() => [
    said('hello'),
    ...many(3_000, (n) => acted(n, { a: 1 })).flat(),
  ]),
  'Gemini: 9 calls with arguments of 9,900 fields, translated': gemini(() => [
    said('hello'),
    ...many(9, (n) => acted(n, fields(9_900))).flat(),
  ]),
  'Gemini: 12,000 turns': gemini(() => many(12_000, (n) => said('hello', n % 2 ? 'model' : 'user')), 'gem/x'),
  'Gemini: count 30 MB of words': gemini(
    () => [said('some words of a prompt, '.repeat(1.25 * MB))],
    'up/x',
    'countTokens',
  ),
  'Gemini: an answer of 50 MB of text': gemini(hello, 'up/text'),
  'Gemini: calls with 30 MB of arguments': gemini(hello, 'up/arguments'),
  'Gemini: a stream of 400,000 events': gemini(hello, 'up/tiny', 'streamGenerateContent?alt=sse'),
  'Gemini: a stream of 400,000 events, as a list': gemini(hello, 'up/tiny', 'streamGenerateContent'),
  'Gemini: a stream of 200,000 pieces of one call': gemini(hello, 'up/pieces', 'streamGenerateContent'),
  'Gemini: a stream of 128 choices': gemini(hello, 'up/choices', 'streamGenerateContent'),
  'Gemini: 2,000 vectors': () => ({
    path: '/v1beta/models/up/vectors:batchEmbedContents',
    body: JSON.stringify({
      requests: many(2_000, () => ({ model: 'models/up/vectors', content: said('a') })),
    }),
  }),
  'Ollama: a picture of 20 MB': ollama(() => [{ ...user('hello'), images: ['A'.repeat(20 * MB)] }]),
  'Ollama: 30,000 messages': ollama(() => turns(30_000)),
  'Ollama: 9 calls with arguments of 9,900 fields': ollama(() => [
    user('hello'),
    {
      role: 'assistant',
      content: '',
      tool_calls: many(9, () => ({ function: { name: 'f', arguments: fields(9_900) } })),
    },
    { role: 'tool', tool_name: 'f', content: 'done' },
  ]),
  'Ollama: an answer of 50 MB of text': ollama(() => [user('hello')], { model: 'up/text' }),
  'Ollama: calls with 30 MB of arguments': ollama(() => [user('hello')], { model: 'up/arguments' }),
  'Ollama: a stream of 400,000 events': ollama(() => [user('hello')], { model: 'up/tiny', stream: true }),
  'Ollama: a stream of 200,000 pieces of one call': ollama(() => [user('hello')], {
    model: 'up/pieces',
    stream: true,
  }),
  'Ollama: a stream with an event of 20 MB': ollama(() => [user('hello')], {
    model: 'up/long',
    stream: true,
  }),
  'Ollama: 2,000 vectors': () => ({
    path: '/api/embed',
    body: JSON.stringify({ model: 'up/vectors', input: many(2_000, () => 'a') }),
  }),
};

/** Requests whose answer is expensive. */
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
  'a stream with an event of 150,000 fields': asking('up/fields', { stream: true }),
  'a stream with an event of 150,000 fields, translated': asking(
    'up/fields',
    { stream: true },
    '/v1/messages',
  ),
  'a stream with an event of 60 MB': asking('up/large', { stream: true }),
  'a stream with an event of 60 MB, translated': asking('up/large', { stream: true }, '/v1/messages'),
  'a stream with an event of 20 MB, Responses': asking('up/long', { stream: true }, '/v1/responses'),
  'a stream with an event of 20 MB of CJK, Responses': asking('up/cjk', { stream: true }, '/v1/responses'),
  'an answer of 20 MB of CJK, Responses': asking('up/wholeCjk', {}, '/v1/responses'),
  'a stream of 20 MB that is cut, Responses': asking('up/cut', { stream: true }, '/v1/responses'),
  'a stream with a call with 20 MB of arguments, Messages': asking(
    'up/longCall',
    { stream: true },
    '/v1/messages',
  ),
  'a stream with a call with 20 MB of arguments, Ollama': asking(
    'up/longCall',
    { stream: true },
    '/api/chat',
  ),
  'calls with 30 MB of arguments, translated': asking('up/arguments', {}, '/v1/messages'),
  'an answer of 9,000 choices, translated': asking('up/manyChoices', {}, '/v1/messages'),
  'an answer of 9,000 choices, streamed': asking('up/manyChoices', { stream: true }),
  'a stream with 8,000 citations in an event, Responses': asking(
    'up/citations',
    { stream: true },
    '/v1/responses',
  ),
  'an answer of 480,000 escapes, streamed, Responses': asking(
    'up/escapes',
    { stream: true },
    '/v1/responses',
  ),
  'a stream with an event of 2 million lines': asking('up/lines', { stream: true }),
  'an answer of 150,000 fields': asking('up/manyFields'),
  'an answer of 150,000 fields, translated': asking('up/manyFields', {}, '/v1/messages'),
};

export const HEAVY: Readonly<Record<string, Making>> = { ...REQUESTS, ...TRANSLATED, ...OTHERS, ...ANSWERS };
