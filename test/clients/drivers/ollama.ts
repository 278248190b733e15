import type { ChatRequest, ChatResponse, Message } from 'ollama';
import { Ollama } from 'ollama';
import type { Asking, Driver } from '../driver.ts';
import { MAX_TURNS, parametersOf, SCHEMA, TOOLS } from '../driver.ts';
import { PICTURE, runTool } from '../script.ts';

/** Ollama's library, with the proxy as its server. */
export function ollama({ url }: Pick<Asking, 'url'>): Ollama {
  return new Ollama({ host: url });
}

const tools = Object.entries(TOOLS).map(([name, { field, description }]) => ({
  type: 'function' as const,
  function: { name, description, parameters: parametersOf(field) },
}));

interface Answer {
  readonly message: Message;
  readonly last: ChatResponse;
}

async function answer(asked: Asking, messages: Message[], more: Partial<ChatRequest> = {}): Promise<Answer> {
  const request = { model: asked.model, messages, think: asked.thinks, ...more };
  if (!asked.stream) {
    const last = await ollama(asked).chat({ ...request, stream: false });
    return { message: last.message, last };
  }
  const pieces: ChatResponse[] = [];
  for await (const piece of await ollama(asked).chat({ ...request, stream: true })) pieces.push(piece);
  const said = (name: 'content' | 'thinking') => pieces.map(({ message }) => message[name] ?? '').join('');
  const calls = pieces.flatMap(({ message }) => message.tool_calls ?? []);
  const message: Message = {
    role: 'assistant',
    content: said('content'),
    thinking: said('thinking') || undefined,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  return { message, last: pieces.at(-1)! };
}

const user = (content: string, more: Partial<Message> = {}): Message => ({ role: 'user', content, ...more });

/** The ollama package. */
export const ollamaSdk: Driver = {
  name: 'ollama',

  async plain(asked) {
    const { message, last } = await answer(asked, [user(asked.words)]);
    return {
      text: message.content,
      reasoning: message.thinking,
      finished: last.done && last.done_reason === 'stop',
      input: last.prompt_eval_count,
      output: last.eval_count,
    };
  },

  async loop(asked) {
    const messages = [user(asked.words)];
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const { message } = await answer(asked, messages, { tools });
      messages.push(message);
      if (!message.tool_calls?.length) return message.content;
      for (const { function: called } of message.tool_calls) {
        const content = runTool(called.name, called.arguments);
        messages.push({ role: 'tool', tool_name: called.name, content });
      }
    }
    throw new Error('The loop does not end');
  },

  object: async (asked) =>
    JSON.parse((await answer(asked, [user(asked.words)], { format: SCHEMA })).message.content),

  picture: async (asked) => (await answer(asked, [user(asked.words, { images: [PICTURE] })])).message.content,

  async leaves(asked) {
    const stream = await ollama(asked).chat({
      model: asked.model,
      messages: [user(asked.words)],
      stream: true,
    });
    for await (const { message } of stream) {
      if (message.content === '') continue;
      stream.abort();
      break;
    }
  },

  raised(error) {
    const { name, message, status_code: status } = error as Error & { status_code?: number };
    // The library has an error type for error answers, but none for errors within a stream.
    return { own: name === 'ResponseError' || name === 'Error', status, message };
  },
};
