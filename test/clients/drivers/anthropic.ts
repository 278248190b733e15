import Anthropic from '@anthropic-ai/sdk';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

type Message = Anthropic.MessageParam;

const client = ({ url }: Asking) => new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0 });
const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  name,
  description,
  input_schema: parametersOf(field),
}));

async function answer(asked: Asking, messages: Message[], more: object = {}): Promise<Anthropic.Message> {
  const thinking = asked.thinks ? { thinking: { type: 'enabled' as const, budget_tokens: 1_024 } } : {};
  const body = { model: asked.model, max_tokens: 4_096, messages, ...thinking, ...more };
  if (!asked.stream) return await client(asked).messages.create(body);
  return await client(asked).messages.stream(body).finalMessage();
}

function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

/** The @anthropic-ai/sdk package. */
export const anthropicSdk: Driver = {
  name: '@anthropic-ai/sdk',

  async plain(asked) {
    const message = await answer(asked, [{ role: 'user', content: asked.words }]);
    const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
    return {
      text: textOf(message),
      reasoning: message.content.find((block) => block.type === 'thinking')?.thinking,
      finished: message.stop_reason === 'end_turn',
      input: input_tokens + (cache_read_input_tokens ?? 0),
      output: output_tokens,
    };
  },

  async loop(asked) {
    const messages: Message[] = [{ role: 'user', content: asked.words }];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const message = await answer(asked, messages, { tools });
      messages.push({ role: 'assistant', content: message.content });
      const calls = message.content.filter((block) => block.type === 'tool_use');
      if (calls.length === 0) return textOf(message);
      messages.push({
        role: 'user',
        content: calls.map(({ id, name, input }) => ({
          type: 'tool_result' as const,
          tool_use_id: id,
          content: runTool(name, input),
        })),
      });
    }
    throw new Error('The loop does not end');
  },

  async object(asked) {
    const output_config = { format: { type: 'json_schema', schema: SCHEMA } };
    const message = await answer(asked, [{ role: 'user', content: asked.words }], { output_config });
    return JSON.parse(textOf(message));
  },

  async picture(asked) {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PICTURE };
    const message = await answer(asked, [
      {
        role: 'user',
        content: [
          { type: 'text', text: asked.words },
          { type: 'image', source },
        ],
      },
    ]);
    return textOf(message);
  },

  async leaves(asked) {
    const { model, words } = asked;
    const stream = await client(asked).messages.create({
      model,
      max_tokens: 9,
      messages: [{ role: 'user', content: words }],
      stream: true,
    });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
  },

  raised(error) {
    const own = error instanceof Anthropic.APIError;
    return { own, status: own ? error.status : undefined, message: (error as Error).message };
  },
};
