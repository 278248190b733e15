/** Answers that plugins make with answer(). */
import { describe, expect, test } from 'bun:test';
import type { Piece } from '../../src/providers/answer.ts';
import { call } from '../../src/plugins/testing.ts';
import { answer } from '../../src/providers/answer.ts';

type Request = Parameters<typeof call>[0];

const MESSAGES = [{ role: 'user', content: 'hi' }];

async function text(request: Request, ...pieces: Piece[]): Promise<string> {
  return await new Response(answer(call({ messages: MESSAGES, ...request }), () => pieces).body).text();
}

interface Shown {
  choices: { message?: object; delta?: object; finish_reason: string | null }[];
  usage?: { total_tokens: number } | null;
}

async function whole(...pieces: Piece[]): Promise<Shown> {
  return JSON.parse(await text({}, ...pieces)) as Shown;
}

/** The events of a stream, without the final [DONE]. */
async function events(request: Request, ...pieces: Piece[]): Promise<Shown[]> {
  const lines = (await text({ ...request, stream: true }, ...pieces)).split('\n\n');
  expect(lines.splice(-2)).toEqual(['data: [DONE]', '']);
  return lines.map((line) => JSON.parse(line.replace('data: ', '')) as Shown);
}

const USAGE = { usage: { input: 3, output: 2, cached: 1, reasoning: 1 } };

describe('answer() without streaming', () => {
  test('joins text and reasoning, and reports usage', async () => {
    const { choices, usage } = await whole('a', { reasoning: 'hm' }, { text: 'b', reasoning: '.' }, USAGE);
    expect(choices).toMatchObject([
      { message: { content: 'ab', reasoning_content: 'hm.', role: 'assistant' }, finish_reason: 'stop' },
    ]);
    expect(usage).toEqual({
      prompt_tokens: 3,
      completion_tokens: 2,
      total_tokens: 5,
      prompt_tokens_details: { cached_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 1 },
    } as never);
  });

  test('adds ids to calls, and writes their arguments as JSON text', async () => {
    const { choices } = await whole(
      { call: { name: 'f', arguments: { a: 1 } } },
      { call: { id: 'c2', name: 'g', arguments: '{"b":2}' } },
    );
    expect(choices).toMatchObject([
      {
        finish_reason: 'tool_calls',
        message: {
          content: null,
          tool_calls: [
            { id: expect.stringMatching(/^call_/), function: { name: 'f', arguments: '{"a":1}' } },
            { id: 'c2', function: { name: 'g', arguments: '{"b":2}' } },
          ],
        },
      },
    ]);
  });

  test('can be empty, and have a finish reason', async () => {
    expect((await whole()).choices).toMatchObject([{ message: { content: '' }, finish_reason: 'stop' }]);
    expect((await whole('a', { finish: 'length' })).choices).toMatchObject([{ finish_reason: 'length' }]);
  });
});

describe('answer() with streaming', () => {
  test('sends the role once, and each piece in its own event', async () => {
    const all = await events({}, { reasoning: 'hm' }, 'a', { call: { id: 'c', name: 'f', arguments: {} } });
    expect(all.map(({ choices }) => choices[0])).toMatchObject([
      { delta: { role: 'assistant', reasoning_content: 'hm' }, finish_reason: null },
      { delta: { content: 'a' } },
      { delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] } },
      { delta: {}, finish_reason: 'tool_calls' },
    ]);
    expect(all[1]!.choices[0]!.delta).not.toHaveProperty('role');
  });

  test('sends usage separately if the client asks for it, or else with the last event', async () => {
    const apart = await events({ stream_options: { include_usage: true } }, 'a', USAGE);
    expect(apart.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } });
    expect(apart.at(-2)).not.toHaveProperty('usage');
    const within = await events({}, 'a', USAGE);
    expect(within.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: { total_tokens: 5 } });
  });

  test('runs the generator no faster than it is read, and ends it when the reader cancels', async () => {
    const seen: string[] = [];
    const { body } = answer(call({ messages: MESSAGES, stream: true }), async function* () {
      try {
        for (const word of ['a', 'b', 'c']) {
          seen.push(word);
          yield word;
        }
      } finally {
        seen.push('end');
      }
    });
    await Bun.sleep(1);
    expect(seen).toEqual([]);
    const reader = body!.getReader();
    await reader.read();
    await Bun.sleep(1);
    expect(seen).toEqual(['a']);
    await reader.cancel();
    expect(seen).toEqual(['a', 'end']);
  });
});

test('answer() refuses invalid pieces', async () => {
  await expect(whole(5 as never)).rejects.toThrow('answer() accepts texts and objects, not 5');
});
