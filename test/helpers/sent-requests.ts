import type { ConfigInput } from '../../src/config/schema.ts';
import { CHAT, running } from './proxy.ts';
import { upstream } from './upstream.ts';

type Provider = ConfigInput['providers'][number];
export type Json = Record<string, unknown>;

/** An answer that is valid in three protocols at once. */
const ANSWER = {
  id: 'c',
  model: 'm',
  created: 1,
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  output: { message: { role: 'assistant', content: [{ text: 'ok' }] } },
  stopReason: 'end_turn',
};

/** The request that a provider received, and the warnings that the client got about fields that were left out. */
export async function requestSentTo(
  type: Provider['type'],
  body: Json,
  { path = '/v1/chat/completions', raw, ...extra }: Partial<Provider> & { path?: string; raw?: string } = {},
): Promise<{ body: Json; path: string; dropped: string | null; status: number; text: string }> {
  await using a = upstream(() => Response.json(ANSWER));
  await using proxy = running({
    providers: [{ name: 'a', type, base_url: a.url, api_key: 'k', models: ['*'], max_retries: 0, ...extra }],
  });
  const usual = /chat|messages/.test(path) ? CHAT : { model: CHAT.model };
  const reply = await proxy.post(path, raw ?? { ...usual, ...body });
  await reply.text();
  return {
    body: JSON.parse(a.asked[0]?.text ?? '{}') as Json,
    path: a.asked[0]?.path ?? '',
    dropped: reply.headers.get('x-llmproxy-dropped'),
    status: reply.status,
    text: a.asked[0]?.text ?? '',
  };
}
