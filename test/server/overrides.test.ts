/** What the operator configures for a provider's requests overrides what is known of the provider. */
import { describe, expect, test } from 'bun:test';
import { schema } from '../../src/config/schema.ts';
import { CHAT } from '../helpers/proxy.ts';
import { requestSentTo } from '../helpers/sent-requests.ts';

const U = CHAT.messages;

describe('overrides of request fields', () => {
  const request = {
    set: { safe: true, temperature: 0.1 },
    drop: ['user', 'seed'],
    rename: { top_p: 'nucleus', absent: 'x' },
  };
  const given = { temperature: 1, top_p: 0.5, user: 'u' };

  test('drop, rename and set fields of a relayed request', async () => {
    const asked = await requestSentTo('openai-compatible', { model: 'm', ...given }, { request });
    expect(asked.body).toEqual({ model: 'm', messages: U, temperature: 0.1, nucleus: 0.5, safe: true });
    expect(asked.dropped).toBe('user');
  });

  test('keep all digits of numbers in a relayed request', async () => {
    const reply = await requestSentTo(
      'openai-compatible',
      { model: 'm' },
      { request, raw: '{"model":"m","messages":[],"seed":1,"logit_bias":{"1":12345678901234567890}}' },
    );
    expect(reply.text).toContain('{"1":12345678901234567890}');
    expect(reply.body).not.toHaveProperty('seed');
  });

  test('name the fields of the provider’s protocol in a translated request', async () => {
    const changes = {
      set: { metadata: { user_id: 'x' } },
      drop: ['system'],
      rename: { stop_sequences: 'stops' },
    };
    const messages = [{ role: 'system', content: 'S' }, ...U];
    const asked = await requestSentTo(
      'anthropic',
      { model: 'claude-x', messages, stop: ['a'] },
      { request: changes },
    );
    expect(asked.body).toMatchObject({ stops: ['a'], metadata: { user_id: 'x' } });
    expect(asked.body).not.toHaveProperty('system');
    expect(asked.body).not.toHaveProperty('stop_sequences');
    expect(asked.dropped).toBe('system');
  });

  test.each(['/v1/messages', '/v1/responses'])('apply to relayed %s too', async (path) => {
    const type = path.includes('messages') ? 'anthropic' : 'openai';
    const asked = await requestSentTo(
      type,
      { model: 'm', input: 'Hi', max_tokens: 5 },
      { path, request: { set: { x: 1 } } },
    );
    expect(asked.body).toMatchObject({ model: 'm', x: 1, max_tokens: 5 });
  });

  test('apply to embeddings too', async () => {
    const asked = await requestSentTo(
      'cohere',
      { model: 'm', input: 'Hi' },
      { path: '/v1/embeddings', request: { set: { truncate: 'END' } } },
    );
    expect(asked.body).toMatchObject({ truncate: 'END', texts: ['Hi'] });
  });

  test('of a model override those of its provider', async () => {
    const models = [{ name: 'deep-*', request: { set: { a: 2, b: 3 } } }, '*'];
    const extra = { request: { set: { a: 1 } }, models };
    expect((await requestSentTo('openai-compatible', { model: 'deep-1' }, extra)).body).toMatchObject({
      a: 2,
      b: 3,
    });
    const { body } = await requestSentTo('openai-compatible', { model: 'm' }, extra);
    expect([body.a, body.b]).toEqual([1, undefined]);
  });

  test('keep fields that would be dropped for the vendor', async () => {
    const given = { model: 'deepseek-x', seed: 7, store: true };
    const asked = await requestSentTo('deepseek', given, { request: { keep: ['seed'] } });
    expect([asked.body.seed, asked.body.store, asked.dropped]).toEqual([7, undefined, 'store']);
  });

  test('may not change fields that the proxy sets', () => {
    for (const request of [
      { set: { model: 'x' } },
      { drop: ['stream'] },
      { rename: { model: 'x' } },
      { rename: { x: 'model' } },
    ]) {
      const provider = { name: 'a', type: 'openai', request };
      expect(schema.safeParse({ providers: [provider] }).success).toBe(false);
    }
  });
});

test.each(['openai-compatible', 'perplexity'] as const)(
  'roles and efforts can be configured: %s',
  async (type) => {
    const request = {
      roles: { developer: 'system', user: 'human' },
      efforts: ['low'] as const,
      system_first: true,
    };
    const messages = [{ role: 'developer', content: 'S' }, ...U, { role: 'system', content: 'T' }];
    const asked = await requestSentTo(
      type,
      { model: 'm', messages, reasoning_effort: 'high' },
      { request: { ...request, efforts: [...request.efforts] }, api: 'chat' },
    );
    expect(asked.body.messages).toEqual([
      { role: 'system', content: 'S' },
      { role: 'human', content: 'hi' },
      { role: 'user', content: 'T' },
    ]);
    expect(asked.body.reasoning_effort).toBe('low');
  },
);

describe('the API used for chat', () => {
  test.each([
    ['responses', '/v1/chat/completions', '/responses'],
    ['chat', '/v1/responses', '/chat/completions'],
    ['chat', '/v1/chat/completions', '/chat/completions'],
  ] as const)('%s: %s is sent to %s', async (api, path, asked) => {
    expect((await requestSentTo('openai', { model: 'gpt-4o', input: 'Hi' }, { api, path })).path).toBe(asked);
    const models = [{ name: 'gpt-4o', api }];
    expect((await requestSentTo('openai', { model: 'gpt-4o', input: 'Hi' }, { models, path })).path).toBe(
      asked,
    );
  });

  test('is configured by the model before the provider, and overrides known facts', async () => {
    const models = [{ name: 'gpt-5-codex', api: 'chat' as const }];
    const extra = { models, api: 'responses' as const };
    expect((await requestSentTo('openai', { model: 'gpt-5-codex' }, extra)).path).toBe('/chat/completions');
  });
});
