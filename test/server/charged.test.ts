/** Answers that pass through unparsed are charged by what they and their requests say. */
import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type { ConfigInput } from '../../src/config/schema.ts';
import { provider, running } from '../helpers/proxy.ts';
import type { Asked, Script } from '../helpers/upstream.ts';
import { until } from '../helpers/until.ts';
import { upstream } from '../helpers/upstream.ts';

const UNIT_PRICES: ConfigInput['prices'] = [
  { model: 'm', input: 1, output: 1, image: 0.04, minute: 0.006, characters: 15 },
];
const PNG = 'iVBORw0KGgo'.repeat(30_000);
const IMAGE_USAGE = {
  total_tokens: 1_100,
  input_tokens: 100,
  output_tokens: 1_000,
  input_tokens_details: { text_tokens: 40, image_tokens: 60 },
};
const TRANSCRIBED = {
  type: 'tokens',
  total_tokens: 40,
  input_tokens: 30,
  input_token_details: { text_tokens: 10, audio_tokens: 20 },
  output_tokens: 10,
};
const event = (value: { readonly type: string; readonly [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const completed = { type: 'image_generation.completed', b64_json: PNG, usage: IMAGE_USAGE };

interface Recorded {
  readonly tokens: readonly (number | null | undefined)[];
  readonly units: object | undefined;
  readonly cost: number | null | undefined;
}

async function charged(
  path: string,
  body: object | FormData,
  answer: Script,
  prices: ConfigInput['prices'] = UNIT_PRICES,
): Promise<Recorded & { readonly answer: string }> {
  await using provided = upstream(answer);
  await using proxy = running({ prices, providers: [provider('a', provided.url, { models: ['*'] })] });
  const form = body instanceof FormData;
  const request = form
    ? { body }
    : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const reply = await fetch(`${proxy.url}/v1${path}`, { method: 'POST', ...request });
  const text = await reply.text();
  const [record] = await proxy.recorded(1);
  return {
    tokens: [record?.input_tokens, record?.output_tokens],
    units: record?.units,
    cost: record?.cost,
    answer: text,
  };
}

function form(fields: Readonly<Record<string, string>>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  made.append('image', new Blob(['pixels']), 'a.png');
  return made;
}

const generate = (more: object = {}) => ({ model: 'm', prompt: 'a cat', ...more });
const NO_TOKENS = [null, null];
const IMAGE_UNITS = { input_image_tokens: 60, output_image_tokens: 1_000 };

describe('an answer is charged', () => {
  test('by the tokens of a small image answer', async () => {
    const seen = await charged('/images/generations', generate(), () =>
      Response.json({ created: 1, data: [{ b64_json: 'abc' }, { b64_json: 'abc' }], usage: IMAGE_USAGE }),
    );
    expect(seen).toMatchObject({ tokens: [100, 1_000], units: { ...IMAGE_UNITS, images: 2 } });
  });

  test.each([1, 7, 65_536])('by the tokens after a large image, in chunks of %d KiB', async (kilobytes) => {
    const text = JSON.stringify({ created: 1, data: [{ b64_json: PNG }], usage: IMAGE_USAGE });
    const seen = await charged('/images/generations', generate({ n: 1 }), () =>
      pieces(text, kilobytes * 1_024, 'application/json'),
    );
    expect(seen).toMatchObject({ tokens: [100, 1_000], units: { ...IMAGE_UNITS, images: 1 } });
    expect(seen.answer).toBe(text);
  });

  test('by the tokens of each image in a stream', async () => {
    const partial = { type: 'image_generation.partial_image', b64_json: PNG };
    const text = event(partial) + event(completed) + event(completed);
    const seen = await charged('/images/generations', generate({ n: 2, stream: true }), () =>
      pieces(text, 30_000, 'text/event-stream'),
    );
    expect(seen.tokens).toEqual([200, 2_000]);
    expect(seen.units).toEqual({ input_image_tokens: 120, output_image_tokens: 2_000, images: 2 });
    expect(seen.answer).toBe(text);
  });

  test('by the number of images requested, where the answer reports no usage', async () => {
    const big = () =>
      pieces(JSON.stringify({ created: 1, data: [{ b64_json: PNG }] }), 9_999, 'application/json');
    expect(await charged('/images/edits', form({ model: 'm', n: '3' }), big)).toMatchObject({
      tokens: NO_TOKENS,
      units: { images: 3 },
      cost: 0.12,
    });
    expect(await charged('/images/variations', form({ model: 'm' }), big)).toMatchObject({ cost: 0.04 });
  });

  test('by the tokens of a transcription, unstreamed and streamed', async () => {
    const whole = await charged('/audio/transcriptions', form({ model: 'm' }), () =>
      Response.json({ text: 'Say "usage": {"input_tokens": 9}', usage: TRANSCRIBED }),
    );
    const expected = { tokens: [30, 10], units: { input_audio_tokens: 20 } };
    expect(whole).toMatchObject(expected);
    const streamed = await charged('/audio/transcriptions', form({ model: 'm', stream: 'true' }), () =>
      pieces(
        event({ type: 'transcript.text.delta', delta: '"usage": {"input_tokens": 9}' }) +
          event({ type: 'transcript.text.done', text: 'Hi', usage: TRANSCRIBED }),
        11,
        'text/event-stream',
      ),
    );
    expect(streamed).toMatchObject(expected);
  });

  test('by the minutes of a transcription, whichever field reports them', async () => {
    const segments = Array.from({ length: 3_000 }, (_, id) => ({ id, text: 'so many words' }));
    const answers = [
      { text: 'Hi', usage: { type: 'duration', seconds: 90 } },
      { task: 'transcribe', duration: 90, text: 'Hi' },
      { task: 'transcribe', duration: '90', text: 'Hi', segments },
    ];
    for (const answer of answers)
      expect(
        await charged('/audio/transcriptions', form({ model: 'm' }), () => Response.json(answer)),
      ).toMatchObject({ tokens: NO_TOKENS, units: { seconds: 90 }, cost: 0.009 });
  });

  test('by the characters of the speech requested', async () => {
    const speak = { model: 'm', input: 'Grüße 👋', voice: 'alloy' };
    const sound = () => new Response(new Uint8Array(9_000), { headers: { 'content-type': 'audio/mpeg' } });
    expect(await charged('/audio/speech', speak, sound)).toMatchObject({
      units: { characters: 7 },
      cost: 0.000105,
    });
  });

  test('by the tokens that a reranker reports, or by the request', async () => {
    const rerank = { model: 'm', query: 'q', documents: ['a'] };
    const results = [{ index: 0, relevance_score: 1 }];
    const read = await charged('/rerank', rerank, () =>
      Response.json({ results, usage: { total_tokens: 12 } }),
    );
    expect(read).toMatchObject({ tokens: [12, 0], cost: 0.000012 });
    const byRequest = [{ model: 'm', request: 0.002 }];
    expect(await charged('/rerank', rerank, () => Response.json({ results }), byRequest)).toMatchObject({
      tokens: NO_TOKENS,
      cost: 0.002,
    });
    expect(
      await charged('/moderations', { model: 'm', input: 'x' }, () => Response.json({ results: [] })),
    ).toMatchObject({
      tokens: NO_TOKENS,
      cost: null,
    });
  });

  test('also where the provider can compress it', async () => {
    const text = JSON.stringify({ data: [{ b64_json: 'abc' }], usage: IMAGE_USAGE });
    const headers = { 'content-type': 'application/json' };
    const packed = () =>
      new Response(gzipSync(text), { headers: { ...headers, 'content-encoding': 'gzip' } });
    const willing = ({ headers: asked }: Asked) =>
      (asked.get('accept-encoding') ?? '').includes('gzip') ? packed() : new Response(text, { headers });
    expect(await charged('/images/generations', generate(), willing)).toMatchObject({
      tokens: [100, 1_000],
      answer: text,
    });
    // The provider compresses without being asked. The client can read that, so it passes unchanged and unparsed, and
    // the request alone determines the cost.
    expect(await charged('/images/generations', generate({ n: 2 }), packed)).toMatchObject({
      tokens: NO_TOKENS,
      units: { images: 2 },
      answer: text,
    });
  });
});

test('a budget is charged for images before they are generated', async () => {
  await using provided = upstream(() => Response.json({ created: 1, data: [{ url: 'x' }, { url: 'y' }] }));
  await using proxy = running({
    prices: [{ model: 'm', image: 0.04 }],
    auth: { keys: [{ name: 'ann', key: 'k', limits: [{ budget: 0.1, per: 'day' }] }] },
    providers: [provider('a', provided.url, { models: ['*'] })],
  });
  const draw = (n: number) =>
    proxy.post('/v1/images/generations', generate({ n }), { headers: { authorization: 'Bearer k' } });
  const statuses: number[] = [];
  for (const n of [3, 2, 1]) statuses.push((await draw(n)).status);
  expect(statuses).toEqual([429, 200, 429]);
  expect(provided.asked.length).toBe(1);
});

interface OwnLimits {
  readonly limits: readonly { readonly used: number; readonly reserved: number }[];
}

/** Starts a caller with these limits. All models have unit prices except `free`. */
function limited(limits: readonly object[], answer: Script) {
  const provided = upstream(answer);
  const proxy = running({
    prices: UNIT_PRICES,
    auth: { keys: [{ name: 'ann', key: 'k', limits: limits as never }] },
    providers: [provider('a', provided.url, { models: ['*'] })],
  });
  const headers = { authorization: 'Bearer k' };
  const post = (path: string, body: object, signal?: AbortSignal) => {
    const json = { ...headers, 'content-type': 'application/json' };
    const request =
      body instanceof FormData ? { body, headers } : { body: JSON.stringify(body), headers: json };
    return fetch(`${proxy.url}/v1${path}`, { method: 'POST', ...request, ...(signal ? { signal } : {}) });
  };
  return {
    provided,
    post,
    recorded: (count: number) => proxy.recorded(count),
    async used() {
      const { limits: all } = (await (await fetch(`${proxy.url}/v1/key`, { headers })).json()) as OwnLimits;
      expect(all.map(({ reserved }) => reserved)).toEqual(all.map(() => 0));
      return all.map(({ used }) => used);
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await provided[Symbol.asyncDispose]();
    },
  };
}

/** A recording of this many bytes, of which 20 kB are estimated as one second. */
function recording(model: string, bytes: number, more: Readonly<Record<string, string>> = {}): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries({ model, ...more })) made.append(name, value);
  made.append('file', new Blob([new Uint8Array(bytes)]), 'a.wav');
  return made;
}

describe('a recording of unknown length', () => {
  const minute = () => Response.json({ text: 'Hi', usage: { type: 'duration', seconds: 60 } });
  const transcribe = '/audio/transcriptions';

  test.each([transcribe, '/audio/translations'])(
    'is refused at %s once a budget is used up',
    async (path) => {
      await using rig = limited([{ budget: 0.006, per: 'day' }], minute);
      const ask = async (model: string) => (await rig.post(path, recording(model, 100))).status;
      expect([await ask('m'), await ask('m'), await ask('m')]).toEqual([200, 429, 429]);
      expect(await rig.used()).toEqual([0.006]);
      // What costs nothing needs no remaining budget.
      expect(await ask('free')).toBe(200);
    },
  );

  test.each([[{ tokens: 30 }], [{ tokens: 30, count: 'input' }], [{ tokens: 10, count: 'output' }]])(
    'is refused once a limit of %p is used up',
    async (limit) => {
      await using rig = limited([{ ...limit, per: 'day' }], () =>
        Response.json({ text: 'Hi', usage: TRANSCRIBED }),
      );
      const ask = async () => (await rig.post(transcribe, recording('m', 100))).status;
      expect([await ask(), await ask()]).toEqual([200, 429]);
    },
  );

  test('is accepted while any budget remains, however long it is', async () => {
    await using rig = limited([{ budget: 0.0061, per: 'day' }], minute);
    expect((await rig.post(transcribe, recording('m', 3_000_000))).status).toBe(200);
    expect(await rig.used()).toEqual([0.006]);
    expect((await rig.post(transcribe, recording('m', 3_000_000))).status).toBe(200);
    const refused = await rig.post(transcribe, recording('m', 100));
    expect([refused.status, await refused.text()]).toEqual([
      429,
      expect.not.stringContaining('this one needs'),
    ]);
  });

  test('is charged by its size where the answer does not report its length', async () => {
    const limits = [
      { budget: 9, per: 'day' },
      { tokens: 9_000, per: 'day' },
    ];
    await using rig = limited(limits, () => new Response('Hi'));
    const form = recording('m', 1_200_000, { response_format: 'text' });
    expect(await (await rig.post(transcribe, form)).text()).toBe('Hi');
    const [record] = await rig.recorded(1);
    const { input_tokens: input, output_tokens: output, cost } = record!.estimate!;
    // The cost of a minute, and of the tokens spoken in it.
    expect(cost).toBeCloseTo(0.006 + output / 1e6, 4);
    expect(output).toBeGreaterThan(600);
    expect(record).toMatchObject({ cost: null, input_tokens: null });
    expect(await rig.used()).toEqual([cost!, input + output]);
  });
});

test('speech from a model with token prices is charged by its text, since audio reports no usage', async () => {
  await using provided = upstream(() => new Response(new Uint8Array(9_000)));
  await using proxy = running({
    prices: [{ model: 'm', input: 1, output: 10 }],
    auth: { keys: [{ name: 'ann', key: 'k', limits: [{ budget: 1, per: 'day' }] }] },
    providers: [provider('a', provided.url, { models: ['*'] })],
  });
  const speak = { model: 'm', input: 'It is said that nobody counts what is only heard', voice: 'alloy' };
  await proxy.post('/v1/audio/speech', speak, { headers: { authorization: 'Bearer k' } });
  const [record] = await proxy.recorded(1);
  const { input_tokens: input, output_tokens: output, cost } = record!.estimate!;
  expect(output).toBeGreaterThan(input);
  expect(cost).toBeCloseTo((input + 10 * output) / 1e6, 9);
});

describe('a client that leaves before the answer', () => {
  const LEFT: readonly (readonly [string, () => object, number])[] = [
    ['/images/generations', () => generate({ n: 2 }), 0.08],
    ['/images/edits', () => form({ model: 'm', n: '3' }), 0.12],
    ['/audio/speech', () => ({ model: 'm', input: 'ten letters', voice: 'alloy' }), 0.000165],
    ['/audio/transcriptions', () => recording('m', 1_200_000), 0.006],
    ['/embeddings', () => ({ model: 'm', input: 'some words to embed' }), 0],
    ['/moderations', () => ({ model: 'm', input: 'some words to judge' }), 0],
  ];
  test.each(LEFT)('to %s is charged for what it requested', async (path, body, units) => {
    await using rig = limited([{ budget: 9, per: 'day' }], () => new Promise<Response>(() => undefined));
    const leaving = new AbortController();
    const asked = rig.post(path, body(), leaving.signal).catch(() => undefined);
    await until('the request at the provider', () => rig.provided.asked.length, { is: 1 });
    leaving.abort();
    await asked;
    const [record] = await rig.recorded(1);
    const [used] = await rig.used();
    expect(used).toBe(record!.estimate!.cost!);
    expect(used).toBeGreaterThanOrEqual(units);
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(units + 0.002);
  });
});

/** A body in chunks of this many bytes. */
function pieces(text: string, bytes: number, type: string): Response {
  const all = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at >= all.length) return controller.close();
      controller.enqueue(all.subarray(at, (at += bytes)));
    },
  });
  return new Response(body, { headers: { 'content-type': type } });
}
