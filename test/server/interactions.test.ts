/** Gemini's interactions: translated for providers of every protocol, relayed to Google's, and retrieved by id. */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import { isObject, listOf, objectOf, parseJson } from '../../src/wire/json.ts';
import { expected, INTERACTIONS } from '../helpers/clients.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { geminiError } from '../helpers/published/gemini.ts';
import { publishedProblems } from '../helpers/published/problems.ts';
import { running } from '../helpers/proxy.ts';
import { speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

const { path, request, check, said, published } = INTERACTIONS;
const OTHERS = (Object.keys(SPEAKERS) as SpeakerName[]).filter((name) => name !== 'gemini');

describe.each(OTHERS)('an interactions client with a %s provider', (name) => {
  test('receives unstreamed and streamed answers', async () => {
    await using whole = speaker(name, 'whole');
    await using streaming = speaker(name, 'stream');
    await using proxy = running({
      providers: [
        { ...speakerConfig(name, whole.url), name: 'whole', models: ['m-1'] },
        { ...speakerConfig(name, streaming.url), name: 'streaming', models: ['m-2'] },
      ],
    });
    const reply = await proxy.post(path, request);
    const answer = (await reply.json()) as JsonObject;
    expect([reply.status, publishedProblems(published, answer)]).toEqual([200, []]);
    expect(said(answer)).toEqual(expected(INTERACTIONS));
    const sse = await (await proxy.post(path, { ...request, model: 'm-2', stream: true })).text();
    const { value, problems } = check(sse);
    expect(problems).toEqual([]);
    expect(said(value)).toEqual(expected(INTERACTIONS));
    for (const record of await proxy.recorded(2))
      expect(record).toMatchObject({
        endpoint: 'gemini.interactions',
        outcome: 'success',
        finish: 'tool_calls',
        lane: 'translate',
        input_tokens: 20,
        output_tokens: 9,
      });
  });

  test('receives errors in Google’s shape, and those of a broken stream as an error event', async () => {
    await using refusing = speaker(name, 'refused');
    await using breaking = speaker(name, 'broken');
    await using proxy = running({
      providers: [
        { ...speakerConfig(name, refusing.url), name: 'refusing', models: ['m-1'] },
        { ...speakerConfig(name, breaking.url), name: 'breaking', models: ['m-2'] },
      ],
    });
    const refused = await proxy.post(path, request);
    const error = (await refused.json()) as JsonObject;
    expect([refused.status, publishedProblems(geminiError, error)]).toEqual([400, []]);
    const sse = await (await proxy.post(path, { ...request, model: 'm-2', stream: true })).text();
    expect(check(sse).problems).toEqual([]);
    expect(framesOf(sse, []).at(-1)).toMatchObject({ name: 'error', value: { event_type: 'error' } });
    expect(sse).not.toContain('interaction.completed');
  });

  test('continues with the steps of an answer, and returns what the provider signed', async () => {
    await using whole = speaker(name, 'whole');
    await using proxy = running({ providers: [speakerConfig(name, whole.url)] });
    const first = (await (await proxy.post(path, request)).json()) as JsonObject;
    const results = listOf(first.steps)
      .map(objectOf)
      .filter(({ type }) => type === 'function_call')
      .map(({ id, name: called }) => ({
        type: 'function_result',
        call_id: id,
        name: called,
        result: [{ type: 'text', text: `result of ${String(called)}` }],
      }));
    expect(results.length).toBe(2);
    const input = [{ type: 'user_input', content: 'hi' }, ...listOf(first.steps), ...results];
    expect((await proxy.post(path, { ...request, input })).status).toBe(200);
    const sent = whole.asked.at(-1)!.text;
    for (const words of ['Looking it up.', 'result of weather', 'result of time', 'Paris'])
      expect(sent).toContain(words);
    // The signature must be returned to the provider that made it.
    if (name === 'messages') expect(sent).toContain('c2ln');
  });
});

describe('a request for an interaction', () => {
  const asked = async (
    body: object,
  ): Promise<[request: JsonObject, dropped: string | null, status: number]> => {
    await using provider = speaker('chat', 'whole');
    await using proxy = running({ providers: [speakerConfig('chat', provider.url)] });
    const reply = await proxy.post(path, { model: 'm-1', ...body });
    await reply.text();
    const sent = parseJson(provider.asked[0]?.text ?? '{}');
    return [isObject(sent) ? sent : {}, reply.headers.get('x-llmproxy-dropped'), reply.status];
  };

  test('accepts text, content, steps, or the turns of the first version', async () => {
    for (const input of [
      'Hi',
      { type: 'text', text: 'Hi' },
      [{ type: 'text', text: 'Hi' }],
      [{ type: 'user_input', content: [{ type: 'text', text: 'Hi' }] }],
      [{ role: 'user', content: 'Hi' }],
    ])
      expect((await asked({ input }))[0].messages).toEqual([{ role: 'user', content: 'Hi' }]);
    const [{ messages }] = await asked({
      system_instruction: 'Be brief.',
      input: [
        { role: 'user', content: 'Hi' },
        { role: 'model', content: [{ type: 'text', text: 'Hello' }] },
        {
          type: 'user_input',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', mime_type: 'image/png', data: 'iVBORw0KGgo=' },
          ],
        },
      ],
    });
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
        ],
      },
    ]);
  });

  test('has its settings translated for chat, and names those without a counterpart', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const [request, dropped] = await asked({
      input: [
        { type: 'text', text: 'Hi' },
        { type: 'image', mime_type: 'image/png', data: 'iVBORw0KGgo=', resolution: 'high' },
      ],
      tools: [
        { type: 'function', name: 'f', description: 'd', parameters: schema, behavior: 'blocking' },
        { type: 'google_search', search_types: ['web_search'] },
        { type: 'url_context' },
        { type: 'google_maps' },
      ],
      generation_config: {
        max_output_tokens: 50,
        temperature: 0.5,
        top_p: 0.9,
        seed: 7,
        stop_sequences: ['x'],
        thinking_level: 'high',
        tool_choice: { allowed_tools: { mode: 'any', tools: ['f'] } },
        speech_config: {},
      },
      response_format: { type: 'text', mime_type: 'application/json', schema },
      safety_settings: [],
      labels: { team: 'a' },
    });
    expect(request).toMatchObject({
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      stop: ['x'],
      reasoning_effort: 'high',
      tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: schema } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      response_format: { type: 'json_schema', json_schema: { schema } },
    });
    expect(dropped?.split(', ').toSorted()).toEqual([
      'content.resolution',
      'generation_config.speech_config',
      'labels',
      'safety_settings',
      'tools.behavior',
      'tools.google_maps',
      'tools.google_search',
      'tools.google_search.search_types',
      'tools.url_context',
    ]);
  });

  test.each([
    [{}, 'input'],
    [{ input: [] }, 'input'],
    [{ input: 5 }, 'input'],
    [{ input: 'Hi', previous_interaction_id: 'v1_x' }, 'previous_interaction_id'],
    [{ input: 'Hi', background: true }, 'background'],
    [{ input: 'Hi', cached_content: 'cachedContents/1' }, 'cached_content'],
    [{ input: 'Hi', continuation_token: 't' }, 'continuation_token'],
    [{ input: 'Hi', generation_config: { temperature: 'hot' } }, 'generation_config.temperature'],
    [{ input: 'Hi', generation_config: { tool_choice: 'maybe' } }, 'generation_config.tool_choice'],
    [{ input: [{ type: 'function_call', arguments: {} }] }, 'input[0].name'],
    [
      {
        input: 'Hi',
        tools: [{ type: 'function', name: 'f' }],
        generation_config: { tool_choice: { allowed_tools: { tools: ['g', 'h'] } } },
      },
      'generation_config.tool_choice.allowed_tools.tools',
    ],
    [{ input: 'Hi', model: undefined, agent: 'deep-research' }, 'agent'],
  ])('like %j is refused for its %s', async (body, param) => {
    await using provider = speaker('chat', 'whole');
    await using proxy = running({ providers: [speakerConfig('chat', provider.url)] });
    const reply = await proxy.post(path, { model: 'm-1', ...body });
    const error = (await reply.json()) as JsonObject;
    expect([reply.status, publishedProblems(geminiError, error)]).toEqual([400, []]);
    expect(JSON.stringify(error)).toContain(`"param":"${param}"`);
    expect(provider.asked).toEqual([]);
  });
});

/** An interaction as Google returns it, with an unknown field. */
const NATIVE = {
  id: 'v1_abc',
  object: 'interaction',
  status: 'completed',
  model: 'gemini-3-flash',
  brand_new: { a: 1 },
  steps: [
    { type: 'thought', signature: 'c2ln' },
    { type: 'model_output', content: [{ type: 'text', text: 'Hello there' }] },
  ],
  usage: {
    total_input_tokens: 7,
    total_cached_tokens: 2,
    total_output_tokens: 3,
    total_thought_tokens: 4,
    total_tokens: 14,
  },
};
const event = (type: string, data: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ ...data, event_type: type })}\n\n`;
const OPENING =
  event('interaction.created', {
    interaction: { id: 'v1_abc', status: 'in_progress', object: 'interaction', model: 'gemini-3-flash' },
  }) +
  event('step.start', { index: 0, step: { type: 'thought' } }) +
  event('step.delta', { index: 0, delta: { type: 'thought_signature', signature: 'c2ln' } }) +
  event('step.stop', { index: 0 }) +
  event('step.start', {
    index: 1,
    step: { type: 'model_output', content: [{ type: 'text', text: 'Hello' }] },
  }) +
  event('step.delta', { index: 1, delta: { type: 'text', text: ' there' } });
const CLOSING =
  event('step.stop', { index: 1 }) +
  event('interaction.completed', {
    interaction: { id: 'v1_abc', status: 'completed', usage: NATIVE.usage },
  });
const DONE = 'event: done\ndata: [DONE]\n\n';

describe('a Gemini provider', () => {
  const google = (answer: (body: JsonObject) => Response) =>
    upstream(({ text }) => answer(objectOf(parseJson(text))));
  const config = (url: string) => ({ providers: [speakerConfig('gemini', url)] });
  const streamed = (sse: string) => new Response(sse, { headers: { 'content-type': 'text/event-stream' } });

  test('receives and answers an unstreamed interaction unchanged', async () => {
    await using provider = google(() => Response.json(NATIVE));
    await using proxy = running(config(provider.url));
    const body = { model: 'gemini-3-flash', input: 'Hi', previous_interaction_id: 'v1_before', brand_new: 1 };
    const reply = await proxy.post(path, { ...body, model: 'gemini/gemini-3-flash' });
    expect([reply.status, await reply.json()]).toEqual([200, NATIVE]);
    const [asked] = provider.asked;
    expect([asked!.path, parseJson(asked!.text)]).toEqual(['/interactions', body]);
    expect((await proxy.recorded(1))[0]).toMatchObject({
      endpoint: 'gemini.interactions',
      lane: 'relay',
      outcome: 'success',
      finish: 'stop',
      input_tokens: 7,
      cached_tokens: 2,
      output_tokens: 7,
      reasoning_tokens: 4,
    });
  });

  test('streams its answer unchanged, and its events are assembled for the record', async () => {
    await using provider = google(() => streamed(OPENING + CLOSING + DONE));
    await using proxy = running(config(provider.url));
    const reply = await proxy.post(path, { model: 'gemini-3-flash', input: 'Hi', stream: true });
    expect(await reply.text()).toBe(OPENING + CLOSING + DONE);
    const [record] = await proxy.recorded(1);
    expect(record).toMatchObject({ outcome: 'success', finish: 'stop', input_tokens: 7, output_tokens: 7 });
    expect(parseJson(record!.response!)).toMatchObject({
      id: 'v1_abc',
      steps: NATIVE.steps,
      usage: NATIVE.usage,
    });
  });

  test('whose stream is cut or fails does not count as complete', async () => {
    for (const [sse, outcome] of [
      [OPENING, 'truncated'],
      [OPENING + DONE, 'truncated'],
      [OPENING + event('error', { error: { code: 'internal', message: 'It broke' } }), 'truncated'],
      [
        OPENING + event('interaction.completed', { interaction: { id: 'v1_abc', status: 'failed' } }),
        'truncated',
      ],
      [OPENING + CLOSING, 'success'],
    ] as const) {
      await using provider = google(() => streamed(sse));
      await using proxy = running(config(provider.url));
      const text = await (
        await proxy.post(path, { model: 'gemini-3-flash', input: 'Hi', stream: true })
      ).text();
      expect((await proxy.recorded(1))[0]!.outcome).toBe(outcome);
      if (outcome === 'success') continue;
      expect(text).toMatch(/^event: error$/m);
      expect(text).not.toContain('"completed"');
    }
  });

  test('that fails before any content is retried', async () => {
    let count = 0;
    await using provider = google(() => {
      count += 1;
      if (count === 1) return Response.json({ ...NATIVE, status: 'failed', steps: [] });
      return count === 2
        ? streamed(event('error', { error: { code: 'unavailable', message: 'No' } }))
        : Response.json(NATIVE);
    });
    await using proxy = running({
      providers: [{ ...speakerConfig('gemini', provider.url), max_retries: 1, retry_delay: '1ms' }],
    });
    const reply = await proxy.post(path, { model: 'gemini-3-flash', input: 'Hi' });
    expect(reply.status).toBeGreaterThanOrEqual(500);
    expect(await (await proxy.post(path, { model: 'gemini-3-flash', input: 'Hi' })).json()).toEqual(NATIVE);
  });

  test('is asked for stored interactions, by keys that may use the endpoint', async () => {
    const asked: string[] = [];
    await using server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(given) {
        const { pathname, search } = new URL(given.url);
        asked.push(`${given.method} ${pathname}${search} ${given.headers.get('x-goog-api-key')}`);
        return Response.json(NATIVE);
      },
    });
    await using proxy = running({
      ...config(`http://127.0.0.1:${server.port}/v1beta`),
      auth: {
        keys: [
          { name: 'a', key: 'sk-aaaaaaaa' },
          { name: 'b', key: 'sk-bbbbbbbb', endpoints: ['chat'] },
        ],
      },
    });
    const url = `${proxy.url}${path}/v1_abc`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(`${url}?key=sk-bbbbbbbb`)).status).toBe(403);
    expect(await (await fetch(`${url}?key=sk-aaaaaaaa&stream=false`)).json()).toEqual(NATIVE);
    const headers = { 'x-goog-api-key': 'sk-aaaaaaaa' };
    await fetch(url, { method: 'DELETE', headers });
    await fetch(`${url}/cancel`, { method: 'POST', headers });
    expect(asked).toEqual([
      'GET /v1beta/interactions/v1_abc?stream=false k-test',
      'DELETE /v1beta/interactions/v1_abc k-test',
      'POST /v1beta/interactions/v1_abc/cancel k-test',
    ]);
    await using chat = speaker('chat', 'whole');
    await using without = running({ providers: [speakerConfig('chat', chat.url)] });
    const missing = await fetch(`${without.url}${path}/v1_abc`);
    const error = (await missing.json()) as JsonObject;
    expect([missing.status, publishedProblems(geminiError, error)]).toEqual([404, []]);
  });
});
