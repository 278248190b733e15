/** Tests real clients against the compiled binary, with a scripted provider of each protocol behind it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Asking, Driver, Raised } from './driver.ts';
import type { Rig } from './rig.ts';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { built, cleared } from '../helpers/binary.ts';
import { aiAnthropic, aiChat, aiEmbed, aiGoogle, aiGoogleEmbed, aiResponses } from './drivers/ai.ts';
import { anthropicSdk } from './drivers/anthropic.ts';
import { genai, genaiSdk } from './drivers/genai.ts';
import { genaiInteractions } from './drivers/genai-interactions.ts';
import { langchainChat, langchainResponses } from './drivers/langchain.ts';
import { ollama, ollamaSdk } from './drivers/ollama.ts';
import { openaiChat } from './drivers/openai-chat.ts';
import { openaiResponses } from './drivers/openai-responses.ts';
import { RUNNERS } from './drivers/runners.ts';
import { DIALECTS, LIMITED, setUp } from './rig.ts';
import { BREAKAGE, LIMIT, OBJECT, PLAIN, REASONING, REFUSAL, TOLD, TOTALS } from './script.ts';
import { until } from '../helpers/until.ts';

const DRIVERS: readonly Driver[] = [
  openaiChat,
  openaiResponses,
  anthropicSdk,
  aiChat,
  aiResponses,
  aiAnthropic,
  langchainChat,
  langchainResponses,
  genaiSdk,
  genaiInteractions,
  aiGoogle,
  ollamaSdk,
];

let rig: Rig;

beforeAll(async () => {
  built();
  rig = await setUp();
}, 60_000);

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  cleared();
});

function asking(model: string, scene: string, stream: boolean, thinks = false): Asking {
  const name = scene === 'limited' ? model + LIMITED : model;
  return { url: rig.url, model: name, words: `scene: ${scene}`, stream, thinks };
}

/** The problems that the provider found in the requests it received. */
function complaints(name: string): string[] {
  return rig.upstreams[name]!.complaints.splice(0);
}

/** Some clients have no field for reasoning, and LangChain requests it only from OpenAI's own models. */
function showsReasoning({ name }: Driver, model: string): boolean {
  if (name === langchainResponses.name) return model.startsWith('gpt-5');
  return name !== aiChat.name && name !== langchainChat.name;
}

const WAYS = [
  ['whole', false],
  ['streamed', true],
] as const;

/** The scripted Gemini has no interactions, and interactions with Gemini are relayed. */
const pairs = DRIVERS.flatMap((driver) =>
  DIALECTS.filter(({ name }) => driver !== genaiInteractions || name !== 'gemini').map(
    (dialect) => [driver.name, dialect.name, driver, dialect] as const,
  ),
);

describe.each(pairs)('%s, answered by %s', (_, name, driver, { model }) => {
  const failing = async (scene: string, stream: boolean): Promise<Raised> =>
    driver.plain(asking(model, scene, stream)).then(
      ({ text }) => expect.unreachable(`It was answered: ${text}`),
      (error: unknown) => driver.raised(error),
    );

  describe.each(WAYS)('%s', (_way, stream) => {
    test('gets the text and its tokens', async () => {
      const { reasoning: _, ...got } = await driver.plain(asking(model, 'plain', stream));
      expect(complaints(name)).toEqual([]);
      expect(got).toEqual({ text: PLAIN, finished: true, ...TOTALS });
    });

    test('gets the reasoning', async () => {
      const { text, reasoning } = await driver.plain(asking(model, 'plain', stream, true));
      expect(complaints(name)).toEqual([]);
      const shown = showsReasoning(driver, model) ? REASONING : undefined;
      expect({ text, reasoning }).toEqual({ text: PLAIN, reasoning: shown });
    });

    test.each([
      ['tools', false],
      ['tools between thoughts', true],
    ])('runs %s for three turns', async (_what, thinks) => {
      const told = await driver
        .loop(asking(model, 'tools', stream, thinks))
        .catch((error: Error) => error.message);
      expect(complaints(name)).toEqual([]);
      expect(told).toBe(TOLD);
    });

    test.each([
      ['refused', 400, REFUSAL],
      ['limited', 429, LIMIT],
    ])('raises an error of its own when it is %s', async (scene, status, words) => {
      const { message, ...raised } = await failing(scene, stream);
      expect(raised).toEqual({ own: true, status });
      expect(message).toContain(words);
    });
  });

  test('gets an object of a schema', async () => {
    expect(await driver.object(asking(model, 'object', false))).toEqual(OBJECT);
    expect(complaints(name)).toEqual([]);
  });

  test('sends an image', async () => {
    expect(await driver.picture(asking(model, 'picture', false))).toBe('One pixel.');
    expect(complaints(name)).toEqual([]);
  });

  test('raises its own error when a stream breaks', async () => {
    const { own, message } = await failing('breaks', true);
    expect(own).toBeTrue();
    expect(message).toContain(BREAKAGE);
  });

  test('cancels the upstream request when it disconnects', async () => {
    const upstream = rig.upstreams[name]!;
    const before = upstream.left;
    await driver.leaves(asking(model, 'endless', true));
    await until('the provider’s request to be cancelled', () => upstream.left !== before, {
      withinMs: 8_000,
    });
    expect(upstream.left).toBe(before + 1);
  }, 10_000);
});

const runs = RUNNERS.flatMap(([runner, run]) =>
  DIALECTS.flatMap(({ name, model }) =>
    WAYS.map(([way, stream]) => [runner, name, way, { run, model, stream }] as const),
  ),
);

test.each(runs)(
  '%s, answered by %s, %s, runs tools for three turns',
  async (_, name, _way, { run, model, stream }) => {
    const told = await run(asking(model, 'tools', stream)).catch((error: Error) => error.message);
    expect(complaints(name)).toEqual([]);
    expect(told).toBe(TOLD);
  },
);

describe.each(DIALECTS.map(({ name, model }) => [name, model] as const))(
  'beside answers, %s',
  (name, model) => {
    const openai = () => new OpenAI({ apiKey: 'k', baseURL: `${rig.url}/v1`, maxRetries: 0 });
    const anthropic = () => new Anthropic({ apiKey: 'k', baseURL: rig.url, maxRetries: 0 });

    test('is listed and found by all SDKs', async () => {
      const [page, list] = [await anthropic().models.list(), await openai().models.list()];
      expect(list.data.map(({ id }) => id)).toContain(model);
      expect(page.data.map(({ id }) => id)).toContain(model);
      expect((await openai().models.retrieve(model)).id).toBe(model);
      expect((await anthropic().models.retrieve(model)).id).toBe(model);
      const names: (string | undefined)[] = [];
      for await (const each of await genai(rig).models.list({ config: { pageSize: 2 } }))
        names.push(each.name);
      expect(names).toContain(`models/${model}`);
      expect((await genai(rig).models.get({ model })).name).toBe(`models/${model}`);
      expect((await ollama(rig).list()).models.map((each) => each.name)).toContain(model);
      expect((await ollama(rig).show({ model })).capabilities).toContain('completion');
    });

    test('gets embeddings, or an error that they are not supported', async () => {
      const embeds = async () => (await openai().embeddings.create({ model, input: ['a', 'b'] })).data;
      if (['anthropic', 'responses', 'bedrock'].includes(name)) {
        await expect(embeds()).rejects.toThrow(OpenAI.BadRequestError);
        return;
      }
      const vector = [0.25, -0.5, 1];
      expect((await embeds()).map(({ embedding }) => embedding)).toEqual([vector, vector]);
      expect(await aiEmbed({ url: rig.url, model }, ['a', 'b'])).toEqual([vector, vector]);
      expect(await aiGoogleEmbed({ url: rig.url, model }, ['a', 'b'])).toEqual([vector, vector]);
      const embedded = await genai(rig).models.embedContent({ model, contents: ['a', 'b'] });
      expect(embedded.embeddings?.map(({ values }) => values)).toEqual([vector, vector]);
      expect((await ollama(rig).embed({ model, input: ['a', 'b'] })).embeddings).toEqual([vector, vector]);
      expect(complaints(name)).toEqual([]);
    });

    test('gets a count of tokens, or an estimate', async () => {
      const messages = [{ role: 'user' as const, content: 'How many words are here?' }];
      const { input_tokens } = await anthropic().messages.countTokens({ model, messages });
      const input = 'How many words are here?';
      const counted = await openai().responses.inputTokens.count({ model, input });
      const { totalTokens = 0 } = await genai(rig).models.countTokens({ model, contents: input });
      const itself = ['anthropic', 'gemini', 'bedrock'].includes(name);
      for (const tokens of [input_tokens, counted.input_tokens, totalTokens]) {
        if (itself) expect(tokens).toBe(77);
        else expect(tokens).toBeWithin(5, 30);
      }
      expect(complaints(name)).toEqual([]);
    });
  },
);

describe.each(DRIVERS.map((driver) => [driver.name, driver] as const))(
  '%s, answered by the mock',
  (_, { plain, loop, object }) => {
    const asked = (words: string, stream = false): Asking => ({
      ...asking('mock', '', stream),
      words,
    });

    test.each(WAYS)('%s, gets the fields that it requires', async (_way, stream) => {
      const { text, finished } = await plain(asked('Reply with exactly: it works here', stream));
      expect({ text, finished }).toEqual({ text: 'it works here', finished: true });
    });

    test.each(WAYS)('%s, runs a tool', async (_way, stream) => {
      expect(await loop(asked('What is the weather in "Bern"?', stream))).toContain('12 degrees in Bern');
    });

    test('gets an object of a schema', async () => {
      const given = (await object(asked('How warm is it in "Bern", 12 or more?'))) as typeof OBJECT;
      expect([typeof given.city, typeof given.degrees]).toEqual(['string', 'number']);
    });
  },
);

test('all SDKs raise their own error for an unknown model', async () => {
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const openai = new OpenAI({ apiKey: 'k', baseURL: `${rig.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: 'k', baseURL: rig.url, maxRetries: 0 });
  // The SDKs return promise-like objects that `rejects` does not accept as promises.
  const chat = async () => await openai.chat.completions.create({ model: 'nobody', messages });
  const message = async () => await anthropic.messages.create({ model: 'nobody', max_tokens: 9, messages });
  await expect(chat()).rejects.toThrow(OpenAI.NotFoundError);
  await expect(message()).rejects.toThrow(Anthropic.NotFoundError);
  const content = async () => await genai(rig).models.generateContent({ model: 'nobody', contents: 'Hi' });
  await expect(content()).rejects.toMatchObject({ name: 'ApiError', status: 404 });
  const said = async () => await ollama(rig).chat({ model: 'nobody', messages });
  await expect(said()).rejects.toMatchObject({ name: 'ResponseError', status_code: 404 });
});
