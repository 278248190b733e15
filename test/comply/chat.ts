/** The upstream of all other protocols in these tests: the built-in mock, called as a chat server. */
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, numberOf, objectOf, stringOf } from '../../src/wire/json.ts';

export interface ChatAnswer {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: string }[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
}

export type AskChat = (request: JsonObject) => Promise<ChatAnswer>;

/** Calls a chat server. @throws Error with the server's answer if it rejects the request */
export function chatAt(url: string): AskChat {
  return async (request) => {
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'mock', ...request }),
    });
    const answer = objectOf(await reply.json());
    if (!reply.ok) throw new Error(`the mock refuses: ${JSON.stringify(answer).slice(0, 500)}`);
    const { message, finish_reason: finish } = objectOf(listOf(answer.choices)[0]);
    const { content, tool_calls: calls } = objectOf(message);
    const { prompt_tokens: input, completion_tokens: output } = objectOf(answer.usage);
    return {
      text: stringOf(content) ?? '',
      calls: listOf(calls).map((call) => {
        const { id, function: fn } = objectOf(call);
        const { name, arguments: args } = objectOf(fn);
        return { id: String(id), name: String(name), input: String(args) };
      }),
      finish: stringOf(finish) ?? 'stop',
      input: numberOf(input) ?? 0,
      output: numberOf(output) ?? 0,
    };
  };
}
