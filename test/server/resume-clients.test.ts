/**
 * Streams for clients of Messages, Responses and Gemini that break after some text and are resumed at another target.
 */
import { describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import type { SpeakerName } from '../helpers/speakers.ts';
import type { ScriptedEnding } from '../helpers/scripted-endings.ts';
import { objectOf, parseJson } from '../../src/wire/json.ts';
import { CLIENTS } from '../helpers/clients.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { running } from '../helpers/proxy.ts';
import { speakerConfig } from '../helpers/speakers.ts';
import { scriptedResponse } from '../helpers/scripted-endings.ts';
import { upstream } from '../helpers/upstream.ts';

const FINISH: Readonly<Record<SpeakerName, string>> = {
  chat: 'stop',
  messages: 'end_turn',
  responses: 'completed',
  gemini: 'STOP',
  converse: 'end_turn',
  cohere: 'COMPLETE',
};
const ENDED = { terminated: true, usage: { input: 20, output: 7 } };

const clients = ['messages', 'responses', 'gemini'] as const;
type Asking = (typeof clients)[number];
const firsts = Object.keys(FINISH) as SpeakerName[];

interface Told {
  readonly sse: string;
  readonly value: JsonObject;
  readonly problems: readonly string[];
  readonly record: JsonObject;
  readonly asked: readonly JsonObject[];
}

/** Requests a stream that the first provider begins and the others continue. */
async function resumed(
  client: Asking,
  first: [SpeakerName, ScriptedEnding],
  ...rest: [SpeakerName, ScriptedEnding][]
): Promise<Told> {
  const { path, request, check } = CLIENTS[client];
  const all = [first, ...rest].map(([name, tale]) => upstream(() => scriptedResponse(name, tale, true)));
  await using stack = new AsyncDisposableStack();
  for (const each of all) stack.use(each);
  await using proxy = running({
    routing: { resume: true },
    providers: [first, ...rest].map(([name], at) => ({
      ...speakerConfig(name, all[at]!.url),
      name: `p${at}`,
      priority: at + 1,
    })),
  });
  const sse = await (await proxy.post(path, { ...request, stream: true })).text();
  const record = (await proxy.recorded(1))[0]! as unknown as JsonObject;
  const asked = all.slice(1).flatMap((each) => each.asked.map(({ text }) => objectOf(parseJson(text))));
  const { value, problems } = check(sse);
  // What a provider announces of a response is its own and may be incomplete, as may its token counts.
  return {
    sse,
    value,
    problems: problems.filter((problem) => !/^Response|^answer: usageMetadata: /.test(problem)),
    record,
    asked,
  };
}

/** Counts the error events of a stream. Gemini's have no name. */
const errorsIn = (sse: string) =>
  framesOf(sse, []).filter(({ name, value }) => name === 'error' || (name === undefined && value?.error))
    .length;

const counted = (sse: string, ...names: string[]) =>
  names.map((wanted) => framesOf(sse, []).filter(({ name }) => name === wanted).length);

const ONCE: Readonly<Record<Asking, readonly string[]>> = {
  messages: ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop'],
  responses: [
    'response.created',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.done',
    'response.output_item.done',
    'response.completed',
  ],
  // Gemini's events have no names; its grammar ensures that the answer ends once.
  gemini: [],
};

describe.each(clients)('a %s client of a resumed stream', (client) => {
  const { said } = CLIENTS[client];

  test.each(firsts)('receives one complete answer that a %s provider began', async (name) => {
    const { sse, value, problems, record } = await resumed(
      client,
      [name, { pieces: ['Hello', ' from the', ' world'] }],
      ['chat', { pieces: [' the world', ' wide', ' web'], finish: 'stop', ...ENDED }],
    );
    expect(problems).toEqual([]);
    expect(counted(sse, ...ONCE[client])).toEqual(ONCE[client].map(() => 1));
    expect(said(value)).toMatchObject({
      text: 'Hello from the world wide web',
      input: 20,
      output: expect.any(Number),
    });
    expect(record).toMatchObject({
      outcome: 'success',
      finish: 'stop',
      parts: [{ fault: 'truncated' }, { fault: null }],
    });
    expect(said(value)).toMatchObject({ input: record.input_tokens, output: record.output_tokens });
    expect(said(parseJson(String(record.response)) as JsonObject)).toEqual(said(value));
  });

  test.each(firsts)('receives one complete answer that a %s provider continued', async (name) => {
    const { value, problems, record } = await resumed(
      client,
      [client, { pieces: ['Hello', ' from the', ' world'], usage: { input: 10, output: 0 } }],
      [name, { pieces: [' wide', ' web'], finish: FINISH[name], ...ENDED }],
    );
    expect(problems).toEqual([]);
    const { text, input, output } = said(value);
    expect(text).toBe('Hello from the world wide web');
    expect({ input, output }).toEqual({ input: record.input_tokens, output: record.output_tokens } as never);
    expect(record).toMatchObject({ outcome: 'success', lane: name === client ? 'translate' : 'translate' });
  });

  test('receives the end from a third target when the second breaks off too', async () => {
    const { value, problems, record } = await resumed(
      client,
      [client, { pieces: ['One two', ' three'] }],
      ['chat', { pieces: [' two three', ' four'] }],
      ['messages', { pieces: [' five'], finish: 'end_turn', ...ENDED }],
    );
    expect(problems).toEqual([]);
    expect(said(value).text).toBe('One two three four five');
    expect(record.parts).toHaveLength(3);
  });

  test('receives none of the next model’s thinking', async () => {
    const thought = { type: 'thinking', thinking: 'Hm', signature: 's' };
    const said = { pieces: ['Hello from the world wide web'], finish: 'end_turn', ...ENDED };
    const { value, problems, sse } = await resumed(
      client,
      [client, { pieces: ['Hello', ' from the', ' world'] }],
      ['messages', { thought, ...said }],
    );
    expect(problems).toEqual([]);
    expect(CLIENTS[client].said(value).text).toBe('Hello from the world wide web');
    expect(sse).not.toContain('Hm');
  });

  test('can receive a tool call in the continuation', async () => {
    const { value, problems } = await resumed(
      client,
      [client, { pieces: ['Let me', ' see'] }],
      ['chat', { pieces: ['. '], call: ['{"city":', '"Paris"}'], finish: 'tool_calls', ...ENDED }],
    );
    expect(problems).toEqual([]);
    expect(said(value)).toMatchObject({ text: 'Let me see. ', calls: [['weather', '{"city":"Paris"}']] });
  });

  test('receives an error when a call in the continuation is not valid JSON', async () => {
    const { sse, problems, record } = await resumed(
      client,
      [client, { pieces: ['Let me', ' see'] }],
      ['chat', { pieces: ['. '], call: ['{"city":', '"Par'], finish: 'tool_calls', ...ENDED }],
    );
    expect(problems).toEqual([]);
    expect(errorsIn(sse)).toBe(1);
    expect(record).toMatchObject({ outcome: 'truncated', fault: 'failed_generation' });
  });

  test('has the continuation requested in chat, with the text so far', async () => {
    const { asked } = await resumed(
      client,
      [client, { pieces: ['Hello', ' there'] }],
      ['chat', { pieces: [' there you'], finish: 'stop', ...ENDED }],
    );
    expect(asked).toMatchObject([
      {
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: 'user' }, { role: 'assistant', content: 'Hello there' }, { role: 'user' }],
      },
    ]);
  });

  test.each<[string, ScriptedEnding]>([
    ['a call is in progress', { pieces: ['Let me see.'], call: ['{"city":'] }],
    ['the text is over', { pieces: ['Let me see.'], call: [] }],
  ])('receives the error where %s', async (_, tale) => {
    const { sse, problems, asked, record } = await resumed(
      client,
      [client, tale],
      ['chat', { pieces: ['no'], finish: 'stop', ...ENDED }],
    );
    expect(asked).toEqual([]);
    if (client === 'messages') expect(problems).toEqual([]);
    expect(errorsIn(sse)).toBe(1);
    expect(sse).not.toMatch(/message_stop|response\.completed|finishReason/);
    expect(record).toMatchObject({ outcome: 'truncated', fault: 'truncated' });
  });
});
