import OpenAI from 'openai';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';
import { openaiRaised } from './openai-chat.ts';

type Input = OpenAI.Responses.ResponseInput;

const client = ({ url }: Asking) => new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 });
const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  type: 'function' as const,
  name,
  description,
  parameters: parametersOf(field),
  strict: false,
}));

async function answer(asked: Asking, input: Input, more: object = {}): Promise<OpenAI.Responses.Response> {
  const body = {
    model: asked.model,
    input,
    store: false,
    include: ['reasoning.encrypted_content' as const],
    ...(asked.thinks ? { reasoning: { effort: 'low' as const, summary: 'auto' as const } } : {}),
    ...more,
  };
  if (!asked.stream) return await client(asked).responses.create(body);
  return await client(asked).responses.stream(body).finalResponse();
}

/** The Responses API of the openai package. */
export const openaiResponses: Driver = {
  name: 'openai, responses',

  async plain(asked) {
    const response = await answer(asked, [{ role: 'user', content: asked.words }]);
    const { output, output_text: text, status, usage } = response;
    return {
      text,
      reasoning: output.find((item) => item.type === 'reasoning')?.summary[0]?.text,
      finished: status === 'completed',
      input: usage?.input_tokens,
      output: usage?.output_tokens,
    };
  },

  async loop(asked) {
    const input: Input = [{ role: 'user', content: asked.words }];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const response = await answer(asked, input, { tools });
      input.push(...(response.output as Input));
      const calls = response.output.filter((item) => item.type === 'function_call');
      if (calls.length === 0) return response.output_text;
      for (const { call_id, name, arguments: text } of calls) {
        input.push({ type: 'function_call_output', call_id, output: runTool(name, JSON.parse(text)) });
      }
    }
    throw new Error('The loop does not end');
  },

  async object(asked) {
    const text = { format: { type: 'json_schema', name: 'weather', schema: SCHEMA, strict: true } };
    const { output_text } = await answer(asked, [{ role: 'user', content: asked.words }], { text });
    return JSON.parse(output_text);
  },

  async picture(asked) {
    const image_url = `data:image/png;base64,${PICTURE}`;
    const { output_text } = await answer(asked, [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: asked.words },
          { type: 'input_image', image_url, detail: 'auto' },
        ],
      },
    ]);
    return output_text;
  },

  async leaves(asked) {
    const { model, words: input } = asked;
    const stream = await client(asked).responses.create({ model, input, stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
  },

  raised: openaiRaised,
};
