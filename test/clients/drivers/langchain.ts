import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';
import { openaiRaised } from './openai-chat.ts';

const tools = Object.entries(TOOLS).map(([name, { field, description }]) =>
  tool((input) => runTool(name, input), { name, description, schema: parametersOf(field) }),
);

type Runnable = Pick<ChatOpenAI, 'invoke' | 'stream'>;

async function answer(asked: Asking, runnable: Runnable, messages: BaseMessage[]): Promise<AIMessageChunk> {
  if (!asked.stream) return await runnable.invoke(messages);
  let whole: AIMessageChunk | undefined;
  for await (const chunk of await runnable.stream(messages)) whole = whole ? whole.concat(chunk) : chunk;
  return whole!;
}

/** LangChain's @langchain/openai. It requests reasoning only from models with OpenAI's names. */
function driver(name: string, useResponsesApi: boolean): Driver {
  // Requesting a summary makes it use the Responses API.
  const reasoning = { effort: 'low' as const, ...(useResponsesApi ? { summary: 'auto' as const } : {}) };
  const chat = ({ url, model, thinks }: Asking) =>
    new ChatOpenAI({
      model,
      apiKey: 'k',
      maxRetries: 0,
      useResponsesApi,
      // Reasoning is returned encrypted, and nothing is stored.
      ...(useResponsesApi ? { zdrEnabled: true } : {}),
      ...(thinks ? { reasoning } : {}),
      configuration: { baseURL: `${url}/v1` },
    });

  return {
    name,

    async plain(asked) {
      const message = await answer(asked, chat(asked), [new HumanMessage(asked.words)]);
      const { finish_reason, status } = message.response_metadata;
      const thought = message.additional_kwargs.reasoning as { summary?: { text: string }[] } | undefined;
      return {
        text: message.text,
        reasoning: thought?.summary?.map(({ text }) => text).join(''),
        finished: finish_reason === 'stop' || status === 'completed',
        input: message.usage_metadata?.input_tokens,
        output: message.usage_metadata?.output_tokens,
      };
    },

    async loop(asked) {
      const bound = chat(asked).bindTools(tools) as unknown as Runnable;
      const messages: BaseMessage[] = [new HumanMessage(asked.words)];
      for (let turn = 0; turn < MAX_TURNS; turn += 1) {
        const message = await answer(asked, bound, messages);
        messages.push(message);
        const calls = message.tool_calls ?? [];
        if (calls.length === 0) return message.text;
        for (const { id, name, args } of calls) {
          messages.push(new ToolMessage({ tool_call_id: id!, content: runTool(name, args) }));
        }
      }
      throw new Error('The loop does not end');
    },

    async object(asked) {
      const structured = chat(asked).withStructuredOutput(SCHEMA, { name: 'weather', method: 'jsonSchema' });
      return await structured.invoke([new HumanMessage(asked.words)]);
    },

    async picture(asked) {
      const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}` } };
      const message = new HumanMessage({ content: [{ type: 'text', text: asked.words }, image] });
      return (await answer(asked, chat(asked), [message])).text;
    },

    async leaves(asked) {
      const abort = new AbortController();
      const stream = await chat(asked).stream([new HumanMessage(asked.words)], { signal: abort.signal });
      for await (const { text } of stream) {
        if (text === '') continue;
        abort.abort();
        break;
      }
    },

    raised: openaiRaised,
  };
}

export const langchainChat = driver('@langchain/openai, chat', false);
export const langchainResponses = driver('@langchain/openai, responses', true);
