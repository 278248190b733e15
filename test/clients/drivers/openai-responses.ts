/** `openai`, Responses. */
import type { Response, ResponseInput } from 'openai/resources/responses/responses';
import type { Ask, At, Driver } from './driver.ts';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { PICTURE, runTool } from '../script.ts';
import { MAX_TURNS, TOOLS, wordsOf } from './driver.ts';
import { client, openaiChat } from './openai-chat.ts';

export const openaiResponses: Driver = {
  name: 'openai responses',

  async ask(at, ask) {
    const response = await respond(at, ask, opening(ask));
    const thought = response.output.find(({ type }) => type === 'reasoning');
    return {
      text: response.output_text,
      reasoning: thought?.type === 'reasoning' ? thought.summary[0]?.text : undefined,
      finished: response.status === 'completed',
      input: response.usage?.input_tokens ?? 0,
      output: response.usage?.output_tokens ?? 0,
    };
  },

  async object({ url, model }) {
    const format = zodTextFormat(z.object({ city: z.string(), degrees: z.number() }), 'place');
    const asked = { model, input: wordsOf('object'), text: { format }, store: false };
    return (await client(url).responses.parse(asked)).output_parsed;
  },

  async loop(at, ask) {
    const input = opening({ ...ask, scene: 'tools' });
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { output, output_text } = await respond(at, { ...ask, scene: 'tools' }, input);
      const calls = output.filter(({ type }) => type === 'function_call');
      if (calls.length === 0) return output_text;
      input.push(...(output as ResponseInput));
      for (const call of calls) {
        if (call.type !== 'function_call') continue;
        const result = runTool(call.name, JSON.parse(call.arguments));
        input.push({ type: 'function_call_output', call_id: call.call_id, output: result });
      }
    }
    throw new Error('The loop does not end');
  },

  async leave({ url, model }) {
    const input = opening({ scene: 'endless' });
    const stream = await client(url).responses.create({ model, input, store: false, stream: true });
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') break;
    }
  },

  raised: openaiChat.raised,
};

function opening({ scene, picture }: Pick<Ask, 'scene' | 'picture'>): ResponseInput {
  const text = wordsOf(scene);
  const url = `data:image/png;base64,${PICTURE}`;
  const image = { type: 'input_image' as const, image_url: url, detail: 'auto' as const };
  return [{ role: 'user', content: picture ? [{ type: 'input_text', text }, image] : text }];
}

async function respond(
  { url, model }: At,
  { scene, stream, thinks }: Ask,
  input: ResponseInput,
): Promise<Response> {
  const tools = TOOLS.map(({ name, description, schema }) => ({
    type: 'function' as const,
    name,
    description,
    parameters: schema,
    strict: true,
  }));
  const body = {
    model,
    input,
    instructions: 'Be brief.',
    store: false,
    include: ['reasoning.encrypted_content' as const],
    ...(thinks ? { reasoning: { effort: 'low' as const, summary: 'auto' as const } } : {}),
    ...(scene === 'tools' ? { tools } : {}),
  };
  const { responses } = client(url);
  if (!stream) return await responses.create(body);
  return finalOf(responses.stream(body));
}

/** The client raises no error of its own for `response.failed`: it gives the failed response. */
async function finalOf(stream: { finalResponse(): Promise<Response> }): Promise<Response> {
  return await stream.finalResponse();
}
