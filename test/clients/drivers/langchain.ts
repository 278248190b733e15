/** `@langchain/openai`, over chat completions and over Responses. */
import type { BaseMessage } from '@langchain/core/messages';
import type { Ask, At, Driver } from './driver.ts';
import { AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { PICTURE, runTool } from '../script.ts';
import { KEY, MAX_TURNS, TOOLS, wordsOf } from './driver.ts';
import { openaiChat } from './openai-chat.ts';

export const langchainChat = driver('langchain chat', false);
export const langchainResponses = driver('langchain responses', true);

function driver(name: string, useResponsesApi: boolean): Driver {
  const modelAt = ({ url, model }: At, thinks = false) =>
    new ChatOpenAI({
      model,
      apiKey: KEY,
      maxRetries: 0,
      useResponsesApi,
      configuration: { baseURL: `${url}/v1` },
      ...(useResponsesApi ? { zdrEnabled: true } : {}),
      ...(thinks ? { reasoning: { effort: 'low' as const, summary: 'auto' as const } } : {}),
    });

  async function invoke(at: At, { scene, stream, thinks }: Ask, messages: BaseMessage[]) {
    const tools = TOOLS.map(({ name, description, schema }) => ({
      type: 'function' as const,
      function: { name, description, parameters: schema },
    }));
    const model = scene === 'tools' ? modelAt(at, thinks).bindTools(tools) : modelAt(at, thinks);
    if (!stream) return await model.invoke(messages);
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream(messages)) whole = whole ? whole.concat(chunk) : chunk;
    return whole!;
  }

  return {
    name,
    async ask(at, ask) {
      const message = await invoke(at, ask, opening(ask));
      const { finish_reason, status } = message.response_metadata;
      const thought = message.additional_kwargs.reasoning as { summary?: { text: string }[] } | undefined;
      return {
        text: message.text,
        reasoning: thought?.summary?.map(({ text }) => text).join(''),
        finished: finish_reason === 'stop' || status === 'completed',
        input: message.usage_metadata?.input_tokens ?? 0,
        output: message.usage_metadata?.output_tokens ?? 0,
      };
    },

    async object(at) {
      const schema = z.object({ city: z.string(), degrees: z.number() });
      const structured = modelAt(at).withStructuredOutput(schema, { method: 'jsonSchema', name: 'place' });
      return await structured.invoke(wordsOf('object'));
    },

    async loop(at, ask) {
      const messages = opening({ ...ask, scene: 'tools' });
      for (let turn = 0; turn < MAX_TURNS; turn += 1) {
        const message = await invoke(at, { ...ask, scene: 'tools' }, messages);
        if (!message.tool_calls?.length) return message.text;
        messages.push(message);
        for (const { id, name, args } of message.tool_calls) {
          messages.push(new ToolMessage({ tool_call_id: id!, content: runTool(name, args) }));
        }
      }
      throw new Error('The loop does not end');
    },

    async leave(at) {
      const abort = new AbortController();
      const stream = await modelAt(at).stream(opening({ scene: 'endless' }), { signal: abort.signal });
      for await (const { text } of stream) {
        if (text === '') continue;
        abort.abort();
        break;
      }
    },

    raised: openaiChat.raised,
  };
}

function opening({ scene, picture }: Pick<Ask, 'scene' | 'picture'>): BaseMessage[] {
  const text = wordsOf(scene);
  const image = { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PICTURE}` } };
  return [
    new SystemMessage('Be brief.'),
    new HumanMessage(picture ? { content: [{ type: 'text', text }, image] } : text),
  ];
}
