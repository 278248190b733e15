/** Real clients before the compiled binary, with a scripted provider of each protocol behind it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Asking, Driver } from './driver.ts';
import type { Rig } from './rig.ts';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { built, cleared } from '../helpers/binary.ts';
import { aiAnthropic, aiChat, aiResponses } from './drivers/ai.ts';
import { anthropicSdk } from './drivers/anthropic.ts';
import { langchain } from './drivers/langchain.ts';
import { openaiChat } from './drivers/openai-chat.ts';
import { openaiResponses } from './drivers/openai-responses.ts';
import { DIALECTS, LIMITED, setUp } from './rig.ts';
import { BREAKAGE, LIMIT, OBJECT, PLAIN, REFUSAL, TOLD, TOTALS } from './script.ts';

const DRIVERS: readonly Driver[] = [
  openaiChat,
  openaiResponses,
  anthropicSdk,
  aiChat,
  aiResponses,
  aiAnthropic,
  langchain,
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

const pairs = DRIVERS.flatMap((driver) =>
  DIALECTS.map((dialect) => [driver.name, dialect.name, driver, dialect] as const),
);

describe.each(pairs)('%s, answered by %s', (_, name, driver, { model }) => {
  const asking = (scene: string, stream: boolean): Asking => ({
    url: rig.url,
    model: scene === 'limited' ? model + LIMITED : model,
    words: `scene: ${scene}`,
    stream,
  });
  const heard = () => rig.upstreams[name]!.complaints.splice(0);

  describe.each([
    ['whole', false],
    ['streamed', true],
  ])('%s', (_way, stream) => {
    test('gets the text and its tokens', async () => {
      const got = await driver.plain(asking('plain', stream));
      expect(heard()).toEqual([]);
      expect(got.text).toBe(PLAIN);
      if (got.input !== undefined) expect([got.input, got.output]).toEqual([TOTALS.input, TOTALS.output]);
    });

    test('runs tools for three turns', async () => {
      const told = await driver.loop(asking('tools', stream)).catch((error: Error) => error.message);
      expect(heard()).toEqual([]);
      expect(told).toBe(TOLD);
    });

    test('is told what went wrong, by an error of its own', async () => {
      // Once limited a target rests, and the next request hears that.
      for (const [scene, words] of [
        ['refused', [REFUSAL]],
        ['limited', [LIMIT, 'resting after rate_limited']],
      ] as const) {
        const error = await driver.plain(asking(scene, stream)).then(
          () => new Error('It was answered'),
          (thrown: unknown) => thrown as Error,
        );
        const told = JSON.stringify([error.message, error]);
        expect(words.filter((each) => told.includes(each.slice(0, 20)))).not.toEqual([]);
      }
    });
  });

  test('gets an object of a schema', async () => {
    expect(await driver.object(asking('object', false))).toEqual(OBJECT);
    expect(heard()).toEqual([]);
  });

  test('shows a picture', async () => {
    expect(await driver.picture(asking('picture', false))).toBe('One pixel.');
    expect(heard()).toEqual([]);
  });

  test('is told of a stream that breaks', async () => {
    const error = await driver.plain(asking('breaks', true)).then(
      ({ text }) => new Error(`It was answered: ${text}`),
      (thrown: unknown) => thrown as Error,
    );
    expect(`${error.message} ${JSON.stringify(error)}`).toContain(BREAKAGE.slice(0, 20));
  });

  test('stops the provider when it leaves', async () => {
    const upstream = rig.upstreams[name]!;
    const before = upstream.left;
    await driver.leaves(asking('endless', true));
    while (upstream.left === before) await Bun.sleep(5);
    expect(upstream.left).toBe(before + 1);
  }, 10_000);
});

test('the SDKs list models and embed, and Anthropic’s counts tokens', async () => {
  const openai = new OpenAI({ apiKey: 'k', baseURL: `${rig.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: 'k', baseURL: rig.url, maxRetries: 0 });
  const ids = DIALECTS.map(({ model }) => model);
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  expect((await anthropic.models.list()).data.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  const { model } = DIALECTS.find(({ name }) => name === 'gemini')!;
  const embedded = await openai.embeddings.create({ model, input: ['a', 'b'] });
  expect(embedded.data.map(({ embedding }) => embedding)).toEqual([
    [0.25, -0.5, 1],
    [0.25, -0.5, 1],
  ]);
  const counted = await anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: 'x' }] });
  expect(counted.input_tokens).toBe(77);
});
