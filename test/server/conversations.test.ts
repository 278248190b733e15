/** Stored conversations, as OpenAI's own client uses them. */
import { expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';
import { at, counting, NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';

test('a conversation collects the items of its responses', async () => {
  await using provider = counting();
  await using proxy = running(at(provider.url));
  const client = sdk(proxy);
  const conversation = await client.conversations.create({
    metadata: { topic: 'x' },
    items: [{ type: 'message', role: 'user', content: 'before' }],
  });
  expect(conversation).toMatchObject({ object: 'conversation', metadata: { topic: 'x' } });
  const { id } = conversation;
  const first = await client.responses.create({ model: 'm', input: 'a', conversation: id });
  expect([first.output_text, first.conversation?.id]).toEqual(['2', id]);
  const second = await client.responses.create({
    model: 'm',
    input: 'b',
    conversation: { id },
    stream: false,
  });
  expect(second.output_text).toBe('4');
  const items = await client.conversations.items.list(id, { order: 'asc' });
  const texts = items.data.map((item) => {
    const { role, content } = item as { role: string; content: { text: string }[] };
    return [role, content[0]!.text];
  });
  expect(texts).toEqual([
    ['user', 'before'],
    ['user', 'a'],
    ['assistant', '2'],
    ['user', 'b'],
    ['assistant', '4'],
  ]);
  const [one] = items.data;
  expect(await client.conversations.items.retrieve(one!.id!, { conversation_id: id })).toEqual(one!);
  await client.conversations.items.delete(one!.id!, { conversation_id: id });
  const added = await client.conversations.items.create(id, {
    items: [{ type: 'message', role: 'developer', content: 'Be brief.' }],
  });
  expect(added.data).toMatchObject([
    { role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] },
  ]);
  const third = await client.responses.create({ model: 'm', input: 'c', conversation: id });
  expect(third.output_text).toBe('6');
  expect(await client.conversations.update(id, { metadata: { topic: 'y' } })).toMatchObject({
    id,
    metadata: { topic: 'y' },
  });
  expect(await client.conversations.delete(id)).toMatchObject({ deleted: true });
  expect(await refusal(client.conversations.retrieve(id))).toEqual(NOT_FOUND);
  const gone = client.responses.create({ model: 'm', input: 'd', conversation: id });
  expect(await refusal(gone)).toEqual([404, 'not_found', 'conversation']);
});

test('a conversation can be used only by the key that created it', async () => {
  await using provider = counting();
  await using proxy = running(
    at(provider.url, {
      auth: {
        keys: [
          { name: 'a', key: 'sk-aaaaaaaa' },
          { name: 'b', key: 'sk-bbbbbbbb' },
        ],
      },
    }),
  );
  const [a, b] = [sdk(proxy, 'sk-aaaaaaaa'), sdk(proxy, 'sk-bbbbbbbb')];
  const { id } = await a.conversations.create({ items: [{ role: 'user', content: 'secret' }] });
  expect(await refusal(b.conversations.retrieve(id))).toEqual(NOT_FOUND);
  expect(await refusal(b.conversations.update(id, { metadata: {} }))).toEqual(NOT_FOUND);
  expect(await refusal(b.conversations.items.list(id))).toEqual(NOT_FOUND);
  expect(await refusal(b.conversations.delete(id))).toEqual(NOT_FOUND);
  const other = b.responses.create({ model: 'm', input: 'x', conversation: id });
  expect(await refusal(other)).toEqual([404, 'not_found', 'conversation']);
  expect(provider.asked).toEqual([]);
});

test('invalid requests about conversations are refused', async () => {
  await using provider = counting();
  await using proxy = running(at(provider.url));
  const client = sdk(proxy);
  const refused = async (body: object) => {
    const reply = await proxy.post('/v1/conversations', body);
    return [reply.status, ((await reply.json()) as { error: { param: string } }).error.param];
  };
  expect(await refused({ items: 'x' })).toEqual([400, 'items']);
  expect(
    await refused({ items: Array.from({ length: 21 }, () => ({ role: 'user', content: 'x' })) }),
  ).toEqual([400, 'items']);
  expect(await refused({ metadata: { a: 1 } })).toEqual([400, 'metadata.a']);
  const { id } = await client.conversations.create();
  const both = client.responses.create({
    model: 'm',
    input: 'x',
    conversation: id,
    previous_response_id: 'resp_1',
  });
  expect(await refusal(both)).toEqual([400, 'invalid_request', 'previous_response_id']);
  const reply = await fetch(`${proxy.url}/v1/conversations/${id}/items?limit=0`);
  expect([reply.status, await reply.json()]).toMatchObject([400, { error: { param: 'limit' } }]);
});
