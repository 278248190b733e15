import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import type { LanguageModel, ModelMessage } from 'ai';
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import type { Asking, Driver, Got } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

const tools = Object.fromEntries(
  Object.entries(TOOLS).map(([name, { field, description }]) => [
    name,
    tool({
      description,
      inputSchema: jsonSchema(parametersOf(field)),
      execute: (input: unknown) => Promise.resolve(runTool(name, input)),
    }),
  ]),
);

/** Vercel's AI SDK with one of its providers. */
function driver(name: string, modelOf: (asked: Asking) => LanguageModel): Driver {
  async function run(
    asked: Asking,
    content: ModelMessage['content'],
    more: object = {},
  ): Promise<Got & { output: never }> {
    const settings = {
      model: modelOf(asked),
      messages: [{ role: 'user', content }] as ModelMessage[],
      maxRetries: 0,
      ...more,
    };
    if (!asked.stream) return told(await generateText(settings));
    let failure: unknown;
    const result = streamText({ ...settings, onError: ({ error }) => void (failure = error) });
    await result.consumeStream();
    if (failure !== undefined) throw failure;
    return told({
      text: await result.text,
      totalUsage: await result.totalUsage,
      output: await result.output,
    });
  }

  return {
    name,
    plain: async (asked) => {
      const { text, input, tokens } = (await run(asked, asked.words)) as unknown as Told;
      return { text, input, output: tokens };
    },
    loop: async (asked) => (await run(asked, asked.words, { tools, stopWhen: stepCountIs(MAX_TURNS) })).text,
    object: async (asked) => {
      const output = Output.object({ schema: jsonSchema(SCHEMA) });
      // Of models that it does not know the SDK would want a tool call instead.
      const providerOptions = { anthropic: { structuredOutputMode: 'outputFormat' } };
      return (await run(asked, asked.words, { output, providerOptions })).output;
    },
    picture: async (asked) => {
      const image = { type: 'file', data: PICTURE, mediaType: 'image/png' };
      return (await run(asked, [{ type: 'text', text: asked.words }, image] as never)).text;
    },
    async leaves(asked) {
      const abort = new AbortController();
      const { textStream } = streamText({
        model: modelOf(asked),
        prompt: asked.words,
        abortSignal: abort.signal,
        onError: () => undefined,
      });
      for await (const piece of textStream) {
        if (piece === '') continue;
        abort.abort();
        break;
      }
    },
  };
}

interface Told {
  readonly text: string;
  readonly input: number | undefined;
  readonly tokens: number | undefined;
}

function told(result: {
  text: string;
  totalUsage: { inputTokens: number | undefined; outputTokens: number | undefined };
  output?: unknown;
}): never {
  const { text, totalUsage } = result;
  return {
    text,
    input: totalUsage.inputTokens,
    tokens: totalUsage.outputTokens,
    get output() {
      return result.output;
    },
  } as never;
}

const openai = ({ url }: Asking) => createOpenAI({ apiKey: 'k', baseURL: `${url}/v1` });

export const aiChat = driver('ai, @ai-sdk/openai chat', (asked) => openai(asked).chat(asked.model));
export const aiResponses = driver('ai, @ai-sdk/openai responses', (asked) =>
  openai(asked).responses(asked.model),
);
export const aiAnthropic = driver('ai, @ai-sdk/anthropic', (asked) =>
  createAnthropic({ apiKey: 'k', baseURL: `${asked.url}/v1` })(asked.model),
);
