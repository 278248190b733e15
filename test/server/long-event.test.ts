/** Events of a stream that are too long to be parsed at once. */
import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { upstream } from '../helpers/upstream.ts';

const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const FIELDS = Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`k${n}`, n]));
const STREAM = [
  event({ role: 'assistant', content: 'first ' }),
  event({ content: 'second ', details: FIELDS }),
  `data: {${'broken'.repeat(30_000)}\n\n`,
  event({ content: `third${'!'.repeat(300_000)}` }),
  event({}, 'stop'),
].join('');

test.each([
  ['with its terminator', `${STREAM}data: [DONE]\n\n`],
  [
    'whose long last event lacks its end',
    `${STREAM.slice(0, STREAM.lastIndexOf('data: '))}${event({ content: '', x: FIELDS }, 'stop').trimEnd()}`,
  ],
])('a stream %s reaches its client in order, relayed and translated', async (_, stream) => {
  await using provided = upstream(
    () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }),
  );
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const relayed = await (await proxy.post('/v1/chat/completions', { ...CHAT, stream: true })).text();
  const kept = stream.replace(/data: \{broken.*\n\n/, '');
  expect(relayed.startsWith(kept)).toBe(true);
  expect(relayed.endsWith('data: [DONE]\n\n')).toBe(true);
  const translated = await (
    await proxy.post('/v1/messages', { ...CHAT, max_tokens: 9, stream: true })
  ).text();
  const places = ['first ', 'second ', 'third!', 'message_stop'].map((word) => translated.indexOf(word));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  for (const record of await proxy.recorded(2)) {
    expect(record).toMatchObject({ outcome: 'success', malformed: 1 });
    expect(JSON.stringify(record.response)).toContain('first second third!');
  }
});
