import OpenAI from 'openai';
import type { Asking, Driver, Raised } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

type Message = OpenAI.ChatCompletionMessageParam;

const client = ({ url }: Asking) => new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });
const words = ({ words: content }: Asking): Message => ({ role: 'user', content });
const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  type: 'function' as const,
  function: { name, description, parameters: parametersOf(field) },
}));

/** One answer, unstreamed or assembled from its stream. */
async function answer(asked: Asking, messages: Message[], more: object = {}): Promise<OpenAI.ChatCompletion> {
  const thinking = asked.thinks ? { reasoning_effort: 'low' as const } : {};
  const body = { model: asked.model, messages, ...thinking, ...more };
  if (!asked.stream) return await client(asked).chat.completions.create(body);
  const runner = client(asked).chat.completions.stream({ ...body, stream_options: { include_usage: true } });
  // The package keeps only the last piece of a field that it does not know.
  let reasoning = '';
  runner.on('chunk', ({ choices }) => {
    reasoning += (choices[0]?.delta as Thought | undefined)?.reasoning_content ?? '';
  });
  const completion = await runner.finalChatCompletion();
  if (reasoning !== '') (completion.choices[0]!.message as Thought).reasoning_content = reasoning;
  return completion;
}

/** The field in which servers of this API send reasoning. */
interface Thought {
  reasoning_content?: string;
}

/** The error type of the openai package. */
export function openaiRaised(error: unknown): Raised {
  const own = error instanceof OpenAI.APIError;
  return { own, status: own ? error.status : undefined, message: (error as Error).message };
}

/** The openai package, by chat completions. */
export const openaiChat: Driver = {
  name: 'openai, chat',

  async plain(asked) {
    const { choices, usage } = await answer(asked, [words(asked)]);
    const { message, finish_reason } = choices[0]!;
    return {
      text: message.content ?? '',
      reasoning: (message as Thought).reasoning_content,
      finished: finish_reason === 'stop',
      input: usage?.prompt_tokens,
      output: usage?.completion_tokens,
    };
  },

  async loop(asked) {
    const messages = [words(asked)];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { message } = (await answer(asked, messages, { tools })).choices[0]!;
      const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
      if (calls.length === 0) return message.content ?? '';
      messages.push({ role: 'assistant', content: message.content, tool_calls: calls });
      for (const { id, function: fn } of calls) {
        messages.push({
          role: 'tool',
          tool_call_id: id,
          content: runTool(fn.name, JSON.parse(fn.arguments)),
        });
      }
    }
    throw new Error('The loop does not end');
  },

  async object(asked) {
    const response_format = {
      type: 'json_schema',
      json_schema: { name: 'weather', schema: SCHEMA, strict: true },
    };
    const { choices } = await answer(asked, [words(asked)], { response_format });
    return JSON.parse(choices[0]!.message.content ?? '');
  },

  async picture(asked) {
    const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PICTURE}` } };
    const content = [{ type: 'text' as const, text: asked.words }, image];
    const { choices } = await answer(asked, [{ role: 'user', content }]);
    return choices[0]!.message.content ?? '';
  },

  async leaves(asked) {
    const { model } = asked;
    const stream = await client(asked).chat.completions.create({
      model,
      messages: [words(asked)],
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  },

  raised: openaiRaised,
};
