import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import type { LanguageModel, ModelMessage } from 'ai';
import { APICallError, embedMany, generateText, isStepCount, jsonSchema, Output, streamText, tool } from 'ai';
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

/**
 * Each provider reads its own options. For models with names other than OpenAI's, reasoning must be forced.
 */
const THINKING = {
  openai: { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 1_024 } },
  google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } },
};

/** Vercel's AI SDK with one of its providers. */
function driver(name: string, modelOf: (asked: Asking) => LanguageModel): Driver {
  /** @returns the answer, and the object if one was requested */
  async function run(
    asked: Asking,
    content: ModelMessage['content'],
    more: object = {},
  ): Promise<Got & { object: unknown }> {
    const settings = {
      model: modelOf(asked),
      messages: [{ role: 'user', content }] as ModelMessage[],
      maxRetries: 0,
      ...(asked.thinks ? { providerOptions: THINKING } : {}),
      ...more,
    };
    let failure: { error: unknown } | undefined;
    const result = asked.stream
      ? streamText({ ...settings, onError: (event) => void (failure = event) })
      : await generateText(settings);
    if ('consumeStream' in result) await result.consumeStream();
    if (failure) throw failure.error;
    const { inputTokens: input, outputTokens: output } = await result.usage;
    return {
      text: await result.text,
      reasoning: await result.reasoningText,
      finished: (await result.finishReason) === 'stop',
      input,
      output,
      object: 'output' in more ? await result.output : undefined,
    };
  }

  return {
    name,
    async plain(asked) {
      const { object: _, ...got } = await run(asked, asked.words);
      return got;
    },
    loop: async (asked) => (await run(asked, asked.words, { tools, stopWhen: isStepCount(MAX_TURNS) })).text,
    object: async (asked) =>
      (await run(asked, asked.words, { output: Output.object({ schema: jsonSchema(SCHEMA) }) })).object,
    async picture(asked) {
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
    raised(error) {
      const call = APICallError.isInstance(error);
      // Errors within a stream are passed on as the API sent them.
      const told = call || (typeof error === 'object' && error !== null && 'message' in error);
      const message = told ? String((error as Error).message) : JSON.stringify(error);
      return { own: told, status: call ? error.statusCode : undefined, message };
    },
  };
}

const openai = ({ url }: Pick<Asking, 'url'>) => createOpenAI({ apiKey: 'k', baseURL: `${url}/v1` });

export const aiChat = driver('ai, @ai-sdk/openai chat', (asked) => openai(asked).chat(asked.model));
export const aiResponses = driver('ai, @ai-sdk/openai responses', (asked) =>
  openai(asked).responses(asked.model),
);
export const aiAnthropic = driver('ai, @ai-sdk/anthropic', (asked) =>
  createAnthropic({ apiKey: 'k', baseURL: `${asked.url}/v1` })(asked.model),
);

const google = ({ url }: Pick<Asking, 'url'>) =>
  createGoogleGenerativeAI({ apiKey: 'k', baseURL: `${url}/v1beta` });

export const aiGoogle = driver('ai, @ai-sdk/google', (asked) => google(asked)(asked.model));

/** Embeds texts. */
export async function aiEmbed(asked: Pick<Asking, 'url' | 'model'>, values: string[]): Promise<number[][]> {
  const model = openai(asked).embedding(asked.model);
  return (await embedMany({ model, values, maxRetries: 0 })).embeddings;
}

/** The same through Google's own API. */
export async function aiGoogleEmbed(
  asked: Pick<Asking, 'url' | 'model'>,
  values: string[],
): Promise<number[][]> {
  const model = google(asked).embedding(asked.model);
  return (await embedMany({ model, values, maxRetries: 0 })).embeddings;
}
