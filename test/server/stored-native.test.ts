/** Responses that their provider has stored too. */
import { expect, test } from 'bun:test';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import { running } from '../helpers/proxy.ts';
import { completion, refusal, sdk } from '../helpers/stored.ts';
import { upstream } from '../helpers/upstream.ts';

/** A server of OpenAI's API that stores its responses, and can be made to forget them. */
function storing() {
  let count = 0;
  const known = new Set<unknown>();
  const server = upstream(({ text, path }) => {
    const request = JSON.parse(text) as JsonObject;
    if (!path.endsWith('/responses')) return new Response('not here', { status: 404 });
    const { previous_response_id: previous } = request;
    if (previous !== undefined && !known.has(previous)) {
      const message = `Previous response with id '${String(previous)}' not found.`;
      const error = {
        message,
        type: 'invalid_request_error',
        param: 'previous_response_id',
        code: 'previous_response_not_found',
      };
      return Response.json({ error }, { status: 400 });
    }
    const id = `resp_native${(count += 1)}`;
    known.add(id);
    return Response.json({
      id,
      object: 'response',
      created_at: 1,
      status: 'completed',
      model: 'gpt-5',
      store: request.store !== false,
      previous_response_id: previous ?? null,
      error: null,
      incomplete_details: null,
      output: [
        { type: 'reasoning', id: `rs_native${count}`, summary: [] },
        {
          type: 'message',
          id: `msg_native${count}`,
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: `answer ${count}`, annotations: [] }],
        },
      ],
      usage: {
        input_tokens: 1,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 1,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 2,
      },
    });
  });
  return { server, forget: () => known.clear() };
}

const native = (url: string): ConfigInput['providers'][number] => ({
  name: 'o',
  type: 'openai',
  base_url: `${url}/v1`,
  api_key: 'x',
  models: ['gpt-5'],
  max_retries: 0,
});

const asked = (provider: { asked: readonly { text: string }[] }, at: number) =>
  JSON.parse(provider.asked[at]!.text) as JsonObject;

test('a provider that has stored the previous response is sent only its id', async () => {
  const { server, forget } = storing();
  await using provider = server;
  await using proxy = running({ providers: [native(provider.url)] });
  const client = sdk(proxy);
  const first = await client.responses.create({ model: 'gpt-5', input: 'a' });
  const second = await client.responses.create({
    model: 'gpt-5',
    input: 'b',
    previous_response_id: first.id,
  });
  expect([first.id, second.id, second.previous_response_id]).toEqual([
    'resp_native1',
    'resp_native2',
    'resp_native1',
  ]);
  expect(asked(provider, 1)).toEqual({ model: 'gpt-5', input: 'b', previous_response_id: 'resp_native1' });
  // A provider that no longer finds it is sent the full conversation, without items that only its own store could
  // complete.
  forget();
  const third = await client.responses.create({
    model: 'gpt-5',
    input: 'c',
    previous_response_id: second.id,
  });
  expect(third.output_text).toBe('answer 3');
  expect(provider.asked.length).toBe(4);
  expect(asked(provider, 3).previous_response_id).toBeUndefined();
  expect(listOf(asked(provider, 3).input).map((item) => objectOf(item).type ?? 'message')).toEqual([
    'message',
    'message',
    'message',
    'message',
    'message',
  ]);
  expect(provider.asked[3]!.text).not.toContain('rs_native');
  const [, , record] = await proxy.recorded(3);
  expect(record!.attempt_log.map(({ fault }) => fault)).toEqual(['seals_refused', null]);
});

test('another target is sent the full conversation', async () => {
  const { server } = storing();
  await using provider = server;
  let broken = false;
  await using gate = upstream(async ({ text, path }) =>
    broken
      ? new Response('down', { status: 503 })
      : fetch(`${provider.url}${path}`, {
          method: 'POST',
          body: text,
          headers: { 'content-type': 'application/json' },
        }),
  );
  await using other = upstream(({ text }) =>
    Response.json(completion(`${(JSON.parse(text) as { messages: unknown[] }).messages.length}`)),
  );
  await using proxy = running({
    providers: [
      native(gate.url),
      { name: 'c', type: 'openai-compatible', base_url: other.url, models: ['m'], max_retries: 0 },
    ],
    models: { both: ['o/gpt-5', 'c/m'] },
  });
  const client = sdk(proxy);
  const first = await client.responses.create({ model: 'both', input: 'a' });
  expect(first.id).toBe('resp_native1');
  broken = true;
  const second = await client.responses.create({ model: 'both', input: 'b', previous_response_id: first.id });
  expect([second.output_text, second.previous_response_id]).toEqual(['3', first.id]);
  // Back at the first provider, which has not stored the last response.
  broken = false;
  const third = await client.responses.create({
    model: 'o/gpt-5',
    input: 'c',
    previous_response_id: second.id,
  });
  expect(third.output_text).toBe('answer 2');
  expect(listOf(asked(provider, 1).input).length).toBe(5);
});

test('an id that is unknown here is passed to a provider that may know it', async () => {
  const { server } = storing();
  await using provider = server;
  await using proxy = running({ providers: [native(provider.url)] });
  const body = { model: 'gpt-5', input: 'a', previous_response_id: 'resp_elsewhere' };
  const reply = await proxy.post('/v1/responses', body);
  expect(reply.status).toBe(400);
  expect(await reply.json()).toMatchObject({ error: { code: 'previous_response_not_found' } });
  expect(asked(provider, 0)).toEqual(body);
});

test('a conversation of another key is never requested from a provider', async () => {
  const { server } = storing();
  await using provider = server;
  await using proxy = running({
    providers: [native(provider.url)],
    auth: {
      keys: [
        { name: 'a', key: 'sk-aaaaaaaa' },
        { name: 'b', key: 'sk-bbbbbbbb' },
      ],
    },
  });
  const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
  const { id } = await a.conversations.create({});
  const other = b.responses.create({ model: 'gpt-5', input: 'x', conversation: id });
  expect(await refusal(other)).toEqual([404, 'not_found', 'conversation']);
  expect(provider.asked).toEqual([]);
});
