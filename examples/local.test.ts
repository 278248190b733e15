/** Tests of a plugin need neither a running proxy nor a package. Run them with: `BUN_BE_BUN=1 llmproxy test` */
import { expect, test } from 'bun:test';
import { call, completion, provider, upstream } from 'llmproxy/testing';
import { Local } from './local.ts';

const { signal } = new AbortController();

async function ask(made: Local, content: string): Promise<string> {
  const reply = await made.send(call({ messages: [{ role: 'user', content }] }), signal);
  const body = (await new Response(reply.body).json()) as { choices: { message: { content: string } }[] };
  return body.choices[0]!.message.content;
}

test('answers a sum by itself', async () => {
  expect(await ask(provider(Local), '2 + 2')).toBe('4');
});

test('forwards other questions, with the name of the other model', async () => {
  await using model = upstream(() => completion('Hello'));
  const made = provider(Local, { options: { else: model.url } });
  expect(await ask(made, 'Hi')).toBe('Hello');
  expect(JSON.parse(model.asked[0]!.text)).toMatchObject({ model: 'default' });
});
