/** `openai`, chat completions. */
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { Answer, Ask, At, Driver } from './driver.ts';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { PICTURE, runTool } from '../script.ts';
import { KEY, MAX_TURNS, TOOLS, wordsOf } from './driver.ts';

export const openaiChat: Driver = {
  name: 'openai chat',

  async ask(at, ask) {
    const completion = await complete(at, ask, opening(ask));
    return answerOf(completion);
  },

  async object({ url, model }) {
    const format = zodResponseFormat(z.object({ city: z.string(), degrees: z.number() }), 'place');
    const messages = [{ role: 'user' as const, content: wordsOf('object') }];
    const completion = await client(url).chat.completions.parse({ model, messages, response_format: format });
    return completion.choices[0]!.message.parsed;
  },

  async loop(at, ask) {
    const messages = opening({ ...ask, scene: 'tools' });
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { message, finish_reason } = (await complete(at, { ...ask, scene: 'tools' }, messages))
        .choices[0]!;
      if (!message.tool_calls) return message.content ?? '';
      if (finish_reason !== 'tool_calls') throw new Error(`Called, and finished by ${finish_reason}`);
      messages.push(message);
      for (const call of message.tool_calls) {
        if (call.type !== 'function') throw new Error(`A call of ${call.type}`);
        const content = runTool(call.function.name, JSON.parse(call.function.arguments));
        messages.push({ role: 'tool', tool_call_id: call.id, content });
      }
    }
    throw new Error('The loop does not end');
  },

  async leave({ url, model }) {
    const messages = opening({ scene: 'endless' });
    const stream = await client(url).chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
  },

  raised(error) {
    const own = error instanceof OpenAI.APIError;
    return { own, status: own ? error.status : undefined, message: (error as Error).message };
  },
};

export function client(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });
}

function opening({ scene, picture }: Pick<Ask, 'scene' | 'picture'>): ChatCompletionMessageParam[] {
  const text = wordsOf(scene);
  const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PICTURE}` } };
  return [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: picture ? [{ type: 'text', text }, image] : text },
  ];
}

async function complete(
  { url, model }: At,
  { scene, stream, thinks }: Ask,
  messages: ChatCompletionMessageParam[],
): Promise<ChatCompletion> {
  const tools = TOOLS.map(({ name, description, schema }) => ({
    type: 'function' as const,
    function: { name, description, parameters: schema },
  }));
  const body = {
    model,
    messages,
    ...(thinks ? { reasoning_effort: 'low' as const } : {}),
    ...(scene === 'tools' ? { tools } : {}),
  };
  const { completions } = client(url).chat;
  if (!stream) return await completions.create(body);
  return await completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion();
}

function answerOf({ choices, usage }: ChatCompletion): Answer {
  const { message, finish_reason } = choices[0]!;
  return {
    text: message.content ?? '',
    reasoning: (message as { reasoning_content?: string }).reasoning_content,
    finished: finish_reason === 'stop',
    input: usage?.prompt_tokens ?? 0,
    output: usage?.completion_tokens ?? 0,
  };
}
