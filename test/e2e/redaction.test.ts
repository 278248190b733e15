/** The compiled binary between a client and a provider that repeats what it receives. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { until } from '../helpers/until.ts';
import { chatStream, completion, sse, upstream } from '../helpers/upstream.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const SECRET = 'ghp_Zk3bT9vQ1xW7yR5uE2aS8dF4gH6jK0lPmN1q';
const SAID = `I am ann@corp.example.com with ${SECRET}, TCK-7.`;

test('hides the configured values from the provider, and restores them for the client', async () => {
  await using repeating = upstream(({ text }) => {
    const { messages, stream } = JSON.parse(text) as { messages: { content: string }[]; stream?: boolean };
    const { content } = messages.at(-1)!;
    return stream ? sse(chatStream(content.match(/[^]{1,3}/g)!)) : completion(content);
  });
  const { url, cwd, process } = await serveConfig({
    providers: [
      {
        name: 'p',
        type: 'openai-compatible',
        base_url: repeating.url,
        models: ['*'],
        redact: { out: ['all'], patterns: ['ticket=TCK-\\d+'], restore: true },
      },
    ],
    logging: { requests: { flush_interval: '10ms' } },
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: SAID }];
  const { data, response } = await client.chat.completions.create({ model: 'm', messages }).withResponse();
  expect(data.choices[0]!.message.content).toBe(SAID);
  expect(response.headers.get('x-llmproxy-redacted')).toBe('email=1, key=1, ticket=1');
  const stream = client.chat.completions.stream({ model: 'm', messages });
  expect(await stream.finalContent()).toBe(SAID);
  for (const { text } of repeating.asked) {
    expect(text).toContain('I am [EMAIL_1] with [KEY_1], [TICKET_1].');
    expect(text).not.toMatch(/ann@|ghp_|TCK/);
  }
  const records = await until('two records', () => {
    const found = recordsIn(cwd);
    return found.length === 2 && found;
  });
  for (const record of records)
    expect(record.attempt_log).toMatchObject([{ redacted: { email: 1, key: 1, ticket: 1 } }]);
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
});
