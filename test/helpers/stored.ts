/** Shared helpers for tests of stored responses. */
import OpenAI from 'openai';
import type { ConfigInput } from '../../src/config/schema.ts';
import { upstream } from './upstream.ts';

export const sdk = ({ url }: { readonly url: string }, apiKey = 'k') =>
  new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });

/** How a call is rejected: status, code and param; `undefined` if it is not. */
export async function refusal(promise: PromiseLike<unknown>): Promise<unknown[] | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    const { status, code, param } = error as InstanceType<typeof OpenAI.APIError>;
    return [status, code, param];
  }
}

export const NOT_FOUND = [404, 'not_found', null];
export const PREVIOUS_NOT_FOUND = [400, 'previous_response_not_found', 'previous_response_id'];

/** A chat completion with this text. */
export function completion(content: string): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}

/** A chat server that answers with the number of messages it received. */
export function counting() {
  return upstream(({ text }) => {
    const { messages } = JSON.parse(text) as { messages: unknown[] };
    return Response.json(completion(`${messages.length}`));
  });
}

export const at = (url: string, more: Partial<ConfigInput> = {}): ConfigInput => ({
  providers: [{ name: 'p', type: 'openai-compatible', base_url: url, models: ['m'], max_retries: 0 }],
  ...more,
});
