/** `ai` with `@ai-sdk/openai` (chat and Responses) and `@ai-sdk/anthropic`. */
import type { LanguageModel } from 'ai';
import type { Answer, Ask, At, Driver } from './driver.ts';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { AISDKError, APICallError, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { PICTURE, runTool } from '../script.ts';
import { KEY, MAX_TURNS, wordsOf } from './driver.ts';

const openai = (url: string) => createOpenAI({ baseURL: `${url}/v1`, apiKey: KEY });

export const aiChat = driver('ai, openai chat', ({ url, model }) => openai(url).chat(model));

export const aiResponses = driver('ai, openai responses', ({ url, model }) => openai(url).responses(model));

export const aiAnthropic = driver('ai, anthropic', ({ url, model }) =>
  createAnthropic({ baseURL: `${url}/v1`, apiKey: KEY })(model),
);

const tools = {
  weather: tool({
    description: 'The weather in a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async (input) => runTool('weather', input),
  }),
  clock: tool({
    description: 'The time in a zone.',
    inputSchema: z.object({ zone: z.string() }),
    execute: async (input) => runTool('clock', input),
  }),
};

/** Of the options each provider reads its own. Models of other names must be said to think. */
const THINKING = {
  openai: {
    reasoningEffort: 'low',
    reasoningSummary: 'auto',
    forceReasoning: true,
    store: false,
    include: ['reasoning.encrypted_content'],
  },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 2_000 } },
};

const PLAIN = { openai: { store: false } };

function driver(name: string, modelAt: (at: At) => LanguageModel): Driver {
  return {
    name,
    ask: (at, ask) => run(modelAt(at), ask),

    async object(at) {
      const schema = z.object({ city: z.string(), degrees: z.number() });
      const asked = { model: modelAt(at), prompt: wordsOf('object'), maxRetries: 0, providerOptions: PLAIN };
      return (await generateText({ ...asked, output: Output.object({ schema }) })).output;
    },

    loop: async (at, ask) => (await run(modelAt(at), { ...ask, scene: 'tools' })).text,

    async leave(at) {
      const abort = new AbortController();
      const asked = { model: modelAt(at), prompt: wordsOf('endless'), maxRetries: 0, providerOptions: PLAIN };
      const { textStream } = streamText({ ...asked, abortSignal: abort.signal });
      for await (const text of textStream) {
        if (text === '') continue;
        abort.abort();
        break;
      }
    },

    raised(error) {
      const call = APICallError.isInstance(error);
      // What comes inside of a stream is told in the provider's own words.
      const told = typeof error === 'object' && error !== null && 'message' in error;
      const own = call || AISDKError.isInstance(error) || told || typeof error === 'string';
      const message = told ? String(error.message) : JSON.stringify(error);
      return { own, status: call ? error.statusCode : undefined, message };
    },
  };
}

async function run(model: LanguageModel, { scene, stream, thinks, picture }: Ask): Promise<Answer> {
  const text = wordsOf(scene);
  const image = { type: 'image' as const, image: PICTURE, mediaType: 'image/png' };
  const asked = {
    model,
    instructions: 'Be brief.',
    messages: [{ role: 'user' as const, content: picture ? [{ type: 'text' as const, text }, image] : text }],
    maxRetries: 0,
    maxOutputTokens: 4_000,
    providerOptions: thinks ? THINKING : PLAIN,
    stopWhen: stepCountIs(MAX_TURNS),
    ...(scene === 'tools' ? { tools } : {}),
  };
  let failure: { error: unknown } | undefined;
  const result = stream
    ? streamText({ ...asked, onError: (event) => void (failure = event) })
    : await generateText(asked);
  const words = await Promise.resolve(result.text).catch((error: unknown) => {
    throw failure?.error ?? error;
  });
  if (failure) throw failure.error;
  const usage = await result.usage;
  return {
    text: words,
    reasoning: await result.reasoningText,
    finished: (await result.finishReason) === 'stop',
    input: usage.inputTokens ?? 0,
    output: usage.outputTokens ?? 0,
  };
}
