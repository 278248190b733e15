/** Clients such as Codex have OpenAI compact a long conversation into an encrypted item. */
import { expect, test } from 'bun:test';
import { compaction } from '../helpers/published/responses.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { provider, running } from '../helpers/proxy.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { ANSWER as ANSWER_SAID, speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { completion, upstream } from '../helpers/upstream.ts';

const REQUEST = {
  model: 'gpt-5.1-codex-max',
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
};
const ANSWER = JSON.stringify({
  id: 'resp_1',
  object: 'response.compaction',
  created_at: 1,
  output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'gAAAA' }],
  usage: { input_tokens: 139, output_tokens: 438, total_tokens: 577 },
});

test('/v1/responses/compact is relayed to OpenAI, and its usage is recorded', async () => {
  await using a = upstream(() => new Response(ANSWER, { headers: { 'content-type': 'application/json' } }));
  await using other = upstream(() => new Response('never', { status: 500 }));
  await using proxy = running({
    providers: [
      { name: 'a', type: 'openai', base_url: a.url, api_key: 'sk-test', models: ['*'] },
      provider('other', other.url, { models: ['*'], priority: 2 }),
    ],
  });
  const reply = await proxy.post('/v1/responses/compact', REQUEST);
  expect(await reply.text()).toBe(ANSWER);
  expect(a.asked.map(({ path, text }) => [path, text])).toEqual([
    ['/responses/compact', JSON.stringify(REQUEST)],
  ]);
  expect(other.asked).toEqual([]);
  expect((await proxy.recorded(1))[0]).toMatchObject({
    endpoint: 'responses.compact',
    outcome: 'success',
    input_tokens: 139,
    output_tokens: 438,
  });
});

test.each(Object.keys(SPEAKERS).filter((name) => name !== 'responses') as SpeakerName[])(
  'a %s provider is asked for a summary, from which any other provider can continue',
  async (name) => {
    await using summarizing = speaker(name, 'whole');
    await using other = upstream(() => completion('Going on.'));
    await using native = upstream(() => new Response('never', { status: 500 }));
    await using proxy = running({
      providers: [
        { ...speakerConfig(name, summarizing.url), models: ['m-1'] },
        provider('other', other.url, { models: ['gpt-other'], max_retries: 0 }),
        {
          name: 'n',
          type: 'openai',
          base_url: native.url,
          api_key: 'k',
          models: ['gpt-native'],
          max_retries: 0,
        },
      ],
    });
    const input = [
      ...REQUEST.input,
      { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"at":"x"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'a cat' },
    ];
    const reply = await proxy.post('/v1/responses/compact', { ...REQUEST, model: 'm-1', input });
    expect(reply.status).toBe(200);
    const compacted = (await reply.json()) as { output: { encrypted_content: string }[] };
    expect(publishedProblems(compaction, compacted)).toEqual([]);
    const asked = summarizing.asked[0]!.text;
    for (const said of ['Hi', 'look', 'a cat', 'summary']) expect(asked).toContain(said);
    expect((await proxy.recorded(1))[0]).toMatchObject({
      endpoint: 'responses.compact',
      outcome: 'success',
      input_tokens: ANSWER_SAID.usage.input,
      output_tokens: ANSWER_SAID.usage.output,
    });
    // The summary is unreadable in the answer, but complete for the next model.
    expect(JSON.stringify(compacted)).not.toContain(ANSWER_SAID.text);
    const next = [...compacted.output, { role: 'user', content: 'Go on.' }];
    await proxy.post('/v1/responses', { model: 'gpt-other', input: next });
    expect(other.asked[0]!.text).toContain(ANSWER_SAID.text);
    await proxy.post('/v1/responses', { model: 'gpt-native', input: next });
    expect(JSON.parse(native.asked[0]!.text)).toMatchObject({
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text' }] }, { content: 'Go on.' }],
    });
    expect(native.asked[0]!.text).toContain(ANSWER_SAID.text);
  },
);

test('a stored conversation can be compacted by its id', async () => {
  await using summarizing = upstream(({ text }) =>
    completion(text.includes('is about to be replaced') ? 'They said hello.' : 'Hello yourself.'),
  );
  await using proxy = running({ providers: [provider('p', summarizing.url, { models: ['gpt-m'] })] });
  const first = (await (await proxy.post('/v1/responses', { model: 'gpt-m', input: 'Hello.' })).json()) as {
    id: string;
  };
  const reply = await proxy.post('/v1/responses/compact', { model: 'gpt-m', previous_response_id: first.id });
  const { output } = (await reply.json()) as { output: object[] };
  for (const said of ['Hello.', 'Hello yourself.']) expect(summarizing.asked[1]!.text).toContain(said);
  await proxy.post('/v1/responses', {
    model: 'gpt-m',
    input: [...output, { role: 'user', content: 'Well?' }],
  });
  expect(JSON.parse(summarizing.asked[2]!.text)).toMatchObject({
    messages: [
      { role: 'user', content: expect.stringContaining('They said hello.') as string },
      { content: 'Well?' },
    ],
  });
});

test('errors of compaction have the shape of the API', async () => {
  await using a = upstream(() => completion(''));
  await using proxy = running({ providers: [provider('a', a.url, { models: ['gpt-m'], max_retries: 0 })] });
  const unnamed = await proxy.post('/v1/responses/compact', { input: 'x' });
  expect([unnamed.status, await unnamed.json()]).toMatchObject([
    400,
    { error: { param: 'model', type: 'invalid_request_error' } },
  ]);
  const nothing = await proxy.post('/v1/responses/compact', { model: 'gpt-m' });
  expect([nothing.status, await nothing.json()]).toMatchObject([400, { error: { param: 'input' } }]);
  const silent = await proxy.post('/v1/responses/compact', { model: 'gpt-m', input: 'x' });
  expect(silent.status).toBe(502);
});
