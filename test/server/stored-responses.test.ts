/** Stored responses, as OpenAI's own client uses them. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { listOf, objectOf } from '../../src/wire/json.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { response as published } from '../helpers/published/responses.ts';
import { publishedStreamProblems } from '../helpers/published/stream.ts';
import { running } from '../helpers/proxy.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { at, counting, NOT_FOUND, PREVIOUS_NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';
import { upstream } from '../helpers/upstream.ts';

const messagesIn = (asked: { text: string } | undefined) =>
  (JSON.parse(asked!.text) as { messages: { role: string; content: unknown }[] }).messages;

describe('a stored response', () => {
  test('can be continued from by its id repeatedly', async () => {
    await using provider = counting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const first = await client.responses.create({ model: 'm', input: 'a', instructions: 'Be brief.' });
    expect(first).toMatchObject({ store: true, previous_response_id: null } as object);
    const second = await client.responses.create({
      model: 'm',
      input: [{ role: 'user', content: 'b' }],
      previous_response_id: first.id,
    });
    expect(second.previous_response_id).toBe(first.id);
    const third = await client.responses
      .stream({ model: 'm', input: 'c', previous_response_id: second.id })
      .finalResponse();
    expect(third.output_text).toBe('5');
    // A streamed response is stored with the ids that the client received.
    const shown = await client.responses.retrieve(third.id);
    expect(shown.output.map(({ id }) => id)).toEqual(third.output.map(({ id }) => id));
    const fourth = await client.responses.create({ model: 'm', input: 'd', previous_response_id: third.id });
    expect(fourth.output_text).toBe('7');
    // Instructions apply to one request only.
    expect(messagesIn(provider.asked[2])).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '2' },
      { role: 'user', content: 'b' },
      { role: 'assistant', content: '3' },
      { role: 'user', content: 'c' },
    ]);
    // This creates a branch of the same conversation.
    const branch = await client.responses.create({ model: 'm', input: 'x', previous_response_id: first.id });
    expect(branch.output_text).toBe('3');
    const [, record] = await proxy.recorded(2);
    expect(JSON.parse(record!.request!)).toMatchObject({ input: [{}, {}, { content: 'b' }] });
  });

  test('can be retrieved, listed and deleted', async () => {
    await using provider = counting();
    await using proxy = running(at(provider.url));
    const client = sdk(proxy);
    const first = await client.responses.create({ model: 'm', input: 'a', metadata: { x: 'y' } });
    const second = await client.responses.create({ model: 'm', input: 'b', previous_response_id: first.id });
    const shown = await client.responses.retrieve(second.id);
    expect(
      publishedProblems(published, JSON.parse(JSON.stringify({ ...shown, output_text: undefined }))),
    ).toEqual([]);
    expect(shown).toMatchObject({ id: second.id, status: 'completed', previous_response_id: first.id });
    const items = await client.responses.inputItems.list(second.id, { order: 'asc' });
    expect(items.data).toMatchObject([
      { role: 'user', content: [{ type: 'input_text', text: 'a' }], status: 'completed' },
      { role: 'assistant', content: [{ text: '1' }] },
      { role: 'user', content: [{ text: 'b' }] },
    ]);
    const seen: unknown[] = [];
    for await (const { id } of client.responses.inputItems.list(second.id, { limit: 2 })) seen.push(id);
    expect(seen).toEqual(items.data.map(({ id }) => id).toReversed());
    await client.responses.delete(first.id);
    expect(await refusal(client.responses.retrieve(first.id))).toEqual(NOT_FOUND);
    expect(await refusal(client.responses.delete(first.id))).toEqual(NOT_FOUND);
    // A response that continues from the deleted one has lost its beginning.
    const lost = client.responses.create({ model: 'm', input: 'c', previous_response_id: second.id });
    expect(await refusal(lost)).toEqual(PREVIOUS_NOT_FOUND);
    const never = client.responses.create({ model: 'm', input: 'c', previous_response_id: 'resp_never' });
    expect(await refusal(never)).toEqual(PREVIOUS_NOT_FOUND);
  });

  test('can be retrieved as a stream too', async () => {
    await using provider = speaker('messages', 'whole');
    await using proxy = running({ providers: [speakerConfig('messages', provider.url)] });
    const made = (await (
      await proxy.post('/v1/responses', { model: 'm-1', input: 'hi' })
    ).json()) as JsonObject;
    const sse = await (await fetch(`${proxy.url}/v1/responses/${String(made.id)}?stream=true`)).text();
    expect(publishedStreamProblems('responses', sse)).toEqual([]);
    expect(sse).toContain('response.completed');
    const rest = await (
      await fetch(`${proxy.url}/v1/responses/${String(made.id)}?stream=true&starting_after=3`)
    ).text();
    expect(sse.endsWith(rest)).toBe(true);
    expect(rest).toContain('"sequence_number":4');
    expect(rest).not.toContain('"sequence_number":3,');
  });

  test('is not stored where the request declines it or the log may not keep content', async () => {
    await using provider = counting();
    await using proxy = running(
      at(provider.url, {
        auth: {
          keys: [
            { name: 'open', key: 'sk-open-open' },
            { name: 'quiet', key: 'sk-quiet-quiet', log: 'none' },
          ],
        },
      }),
    );
    for (const [client, store] of [
      [sdk(proxy, 'sk-open-open'), false],
      [sdk(proxy, 'sk-quiet-quiet'), true],
    ] as const) {
      const { id, ...told } = await client.responses.create({ model: 'm', input: 'a', store });
      expect((told as unknown as JsonObject).store).toBe(false);
      expect(await refusal(client.responses.retrieve(id))).toEqual(NOT_FOUND);
      const next = client.responses.create({ model: 'm', input: 'b', previous_response_id: id });
      expect(await refusal(next)).toEqual(PREVIOUS_NOT_FOUND);
    }
  });

  test('can be used only by the key that created it', async () => {
    await using provider = counting();
    await using native = upstream(({ text }) => Response.json({ ...objectOf(JSON.parse(text)) }));
    const auth = {
      keys: [
        { name: 'a', key: 'sk-aaaaaaaa' },
        { name: 'b', key: 'sk-bbbbbbbb' },
      ],
    };
    const providers: ConfigInput['providers'] = [
      ...at(provider.url).providers,
      { name: 'n', type: 'openai', base_url: native.url, api_key: 'x', models: ['n'], max_retries: 0 },
    ];
    await using proxy = running({ providers, auth });
    const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
    const { id } = await a.responses.create({ model: 'm', input: 'secret' });
    for (const model of ['m', 'n']) {
      const next = b.responses.create({ model, input: 'x', previous_response_id: id });
      expect(await refusal(next)).toEqual(PREVIOUS_NOT_FOUND);
    }
    // Even a provider that might know the id is not asked.
    expect(native.asked).toEqual([]);
    expect(await refusal(b.responses.retrieve(id))).toEqual(NOT_FOUND);
    expect(await refusal(b.responses.delete(id))).toEqual(NOT_FOUND);
    expect(await refusal(b.responses.inputItems.list(id))).toEqual(NOT_FOUND);
    expect(await refusal(b.responses.cancel(id))).toEqual(NOT_FOUND);
    expect((await a.responses.retrieve(id)).id).toBe(id);
  });
});

const WAYS = (Object.keys(SPEAKERS) as SpeakerName[]).flatMap((name) => [
  [name, 'whole'] as const,
  [name, 'stream'] as const,
]);

test.each(WAYS)(
  'a stored conversation with a %s provider continues with tools and signed reasoning (%s)',
  async (name, way) => {
    await using provider = speaker(name, way);
    await using proxy = running({ providers: [speakerConfig(name, provider.url)] });
    const tools = [
      {
        type: 'function' as const,
        name: 'weather',
        parameters: { type: 'object', properties: {} },
        strict: false,
      },
    ];
    const stream = way === 'stream';
    const begun = await (
      await proxy.post('/v1/responses', { model: 'm-1', input: 'hi', tools, stream })
    ).text();
    const first = objectOf(stream ? framesOf(begun, []).at(-1)!.value!.response : JSON.parse(begun));
    const calls = listOf(first.output)
      .map(objectOf)
      .filter(({ type }) => type === 'function_call');
    const next = {
      model: 'm-1',
      tools,
      stream,
      previous_response_id: first.id,
      input: calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'sunny' })),
    };
    const reply = await proxy.post('/v1/responses', next);
    expect(reply.status).toBe(200);
    await reply.text();
    const asked = provider.asked[1]!.text;
    expect(asked).toContain('sunny');
    expect(asked).toContain('Looking it up.');
    if (name === 'messages') expect(asked).toContain('c2ln');
    expect(asked).not.toContain('previous_response_id');
  },
);
