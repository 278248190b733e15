import type { BaseMessage } from '@langchain/core/messages';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import type { AIMessageChunk } from '@langchain/core/messages';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

const tools = Object.entries(TOOLS).map(([name, { field, description }]) =>
  tool((input) => runTool(name, input), { name, description, schema: parametersOf(field) }),
);

const chat = ({ url, model }: Asking) =>
  new ChatOpenAI({
    model,
    apiKey: 'k',
    maxRetries: 0,
    useResponsesApi: false,
    configuration: { baseURL: `${url}/v1` },
  });

type Runnable = Pick<ChatOpenAI, 'invoke' | 'stream'>;

async function answer(asked: Asking, runnable: Runnable, messages: BaseMessage[]): Promise<AIMessageChunk> {
  if (!asked.stream) return await runnable.invoke(messages);
  let whole: AIMessageChunk | undefined;
  for await (const chunk of await runnable.stream(messages)) whole = whole ? whole.concat(chunk) : chunk;
  return whole!;
}

function textOf({ content }: AIMessageChunk): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}

/** LangChain's @langchain/openai. */
export const langchain: Driver = {
  name: '@langchain/openai',

  async plain(asked) {
    const message = await answer(asked, chat(asked), [new HumanMessage(asked.words)]);
    const { input_tokens: input, output_tokens: output } = message.usage_metadata ?? {};
    return { text: textOf(message), input, output };
  },

  async loop(asked) {
    const bound = chat(asked).bindTools(tools) as unknown as Runnable;
    const messages: BaseMessage[] = [new HumanMessage(asked.words)];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const message = await answer(asked, bound, messages);
      messages.push(message);
      const calls = message.tool_calls ?? [];
      if (calls.length === 0) return textOf(message);
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
    return textOf(await answer(asked, chat(asked), [message]));
  },

  async leaves(asked) {
    const abort = new AbortController();
    const stream = await chat(asked).stream([new HumanMessage(asked.words)], { signal: abort.signal });
    for await (const chunk of stream) {
      if (textOf(chunk) === '') continue;
      abort.abort();
      break;
    }
  },
};
