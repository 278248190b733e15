/** `@anthropic-ai/sdk`. */
import type { Message, MessageParam, TextBlock } from '@anthropic-ai/sdk/resources/messages';
import type { Ask, At, Driver } from './driver.ts';
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { PICTURE, runTool } from '../script.ts';
import { KEY, MAX_TURNS, TOOLS, wordsOf } from './driver.ts';

export const anthropicSdk: Driver = {
  name: '@anthropic-ai/sdk',

  async ask(at, ask) {
    const { content, stop_reason, usage } = await message(at, ask, opening(ask));
    const thought = content.find(({ type }) => type === 'thinking');
    return {
      text: textOf(content),
      reasoning: thought?.type === 'thinking' ? thought.thinking : undefined,
      finished: stop_reason === 'end_turn',
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
      output: usage.output_tokens,
    };
  },

  async object({ url, model }) {
    const format = zodOutputFormat(z.object({ city: z.string(), degrees: z.number() }));
    const asked = { model, max_tokens: 500, messages: opening({ scene: 'object' }) };
    const parsed = await client(url).messages.parse({ ...asked, output_config: { format } });
    return parsed.parsed_output;
  },

  async loop(at, ask) {
    const messages = opening({ ...ask, scene: 'tools' });
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { content, stop_reason } = await message(at, { ...ask, scene: 'tools' }, messages);
      const calls = content.filter((block) => block.type === 'tool_use');
      if (calls.length === 0) return textOf(content);
      if (stop_reason !== 'tool_use') throw new Error(`Called, and stopped by ${stop_reason}`);
      const results = calls.map(({ id, name, input }) => ({
        type: 'tool_result' as const,
        tool_use_id: id,
        content: runTool(name, input),
      }));
      messages.push({ role: 'assistant', content }, { role: 'user', content: results });
    }
    throw new Error('The loop does not end');
  },

  async leave({ url, model }) {
    const asked = { model, max_tokens: 500, messages: opening({ scene: 'endless' }) };
    const stream = await client(url).messages.create({ ...asked, stream: true });
    for await (const event of stream) {
      if (event.type === 'content_block_delta') break;
    }
  },

  raised(error) {
    const own = error instanceof Anthropic.APIError;
    return { own, status: own ? error.status : undefined, message: (error as Error).message };
  },
};

export function client(url: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0 });
}

function opening({ scene, picture }: Pick<Ask, 'scene' | 'picture'>): MessageParam[] {
  const text = wordsOf(scene);
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PICTURE };
  return [
    {
      role: 'user',
      content: picture
        ? [
            { type: 'image', source },
            { type: 'text', text },
          ]
        : text,
    },
  ];
}

async function message(
  { url, model }: At,
  { scene, stream, thinks }: Ask,
  messages: MessageParam[],
): Promise<Message> {
  const tools = TOOLS.map(({ name, description, schema }) => ({ name, description, input_schema: schema }));
  const body = {
    model,
    messages,
    max_tokens: 4_000,
    system: 'Be brief.',
    ...(thinks ? { thinking: { type: 'enabled' as const, budget_tokens: 2_000 } } : {}),
    ...(scene === 'tools' ? { tools } : {}),
  };
  const client_ = client(url);
  if (!stream) return await client_.messages.create(body);
  return await client_.messages.stream(body).finalMessage();
}

function textOf(content: Message['content']): string {
  return content
    .filter((block): block is TextBlock => block.type === 'text')
    .map(({ text }) => text)
    .join('');
}
