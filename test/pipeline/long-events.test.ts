/** Streams with long texts, in one event or in many, are translated and sent in short steps. */
import { expect, test } from 'bun:test';
import type { Folded } from '../../src/pipeline/lanes/lane.ts';
import type { TranslateFoldParts } from '../../src/pipeline/lanes/translate-fold.ts';
import type { Steps } from '../../src/turns.ts';
import type { ChatChunk } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Events } from '../../src/wire/long-events.ts';
import { ProxyError } from '../../src/errors.ts';
import { TranslateFold } from '../../src/pipeline/lanes/translate-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Pump } from '../../src/pipeline/streams/pump.ts';
import { StreamBudget } from '../../src/pipeline/streams/stream-budget.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { atOnce, isSteps, turns } from '../../src/turns.ts';
import { clientOf } from '../../src/wire/clients.ts';
import { streamInSteps } from '../../src/wire/long-events.ts';
import { chatProtocol } from '../../src/wire/openai/protocol.ts';
import { canonicalAssembler } from '../../src/wire/parts/assemble.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { FakeClock } from '../helpers/clock.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { longestShare } from '../helpers/steps.ts';

const CONTEXT = { created: 1, newId: () => 'n', memory: NO_MEMORY };
const PASSING = { ...passingOf('chat'), assembler: canonicalAssembler };

/** A fold of chat events for a client of the Responses API. */
function fold(): TranslateFold {
  const client = clientOf('responses').decode({ model: 'm', input: 'Hi', stream: true }, CONTEXT);
  const encoded = chatProtocol.encode(client.request, { ...CONTEXT, model: 'm', quirks: {} });
  const names = { chunk: (chunk: unknown) => chunk } as unknown as TranslateFoldParts['names'];
  const parts = { framing: chatProtocol.framing(), reader: encoded.stream(), writer: client.stream(), names };
  return new TranslateFold(new Tap(PASSING, Infinity, 1), 'a/m', {
    ...parts,
    strict: true,
    keep: () => undefined,
    restored: undefined,
  });
}

const encoder = new TextEncoder();
const event = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const END = `${event({}, 'stop')}data: [DONE]\n\n`;

/** What the client gets, and the number of steps it took. */
function read(made: Folded | Steps<Folded>): { text: string; steps: number } {
  let steps = 0;
  let folded: Folded;
  if (isSteps(made))
    for (;;) {
      const step = made.next();
      steps += 1;
      if (!step.done) continue;
      folded = step.value;
      break;
    }
  else folded = made;
  return { text: new TextDecoder().decode(folded), steps };
}

/** The text that each kind of event contains. */
function texts(sse: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { value } of framesOf(sse, [])) {
    const { type, delta, text, part, item, response } = value as Record<string, JsonObject | undefined> & {
      type: string;
      delta?: string;
      text?: string;
    };
    const [whole] = (item?.content ?? []) as JsonObject[];
    const [last] = (response?.output ?? []) as { content: JsonObject[] }[];
    found[type] =
      (found[type] ?? '') +
      String(delta ?? text ?? part?.text ?? whole?.text ?? last?.content[0]?.text ?? '');
  }
  return found;
}

const TEXT = 'a line of words, some of them "quoted"\n'.repeat(53_000);
const WHOLE = {
  'response.output_text.delta': TEXT,
  'response.output_text.done': TEXT,
  'response.content_part.done': TEXT,
  'response.output_item.done': TEXT,
  'response.completed': TEXT,
};

test('an event with a text of 2 MB is translated in many steps, and so are the events that repeat it', () => {
  const translation = fold();
  const long = read(translation.push(encoder.encode(event({ content: TEXT }))));
  const end = read(translation.push(encoder.encode(END)));
  expect(texts(long.text + end.text)).toMatchObject(WHOLE);
  // Each piece has an event, and is written in a step of its own.
  const pieces = framesOf(long.text, []).filter(({ name }) => name === 'response.output_text.delta').length;
  expect(pieces).toBeGreaterThan(7);
  expect(long.steps).toBeGreaterThan(2 * pieces);
  expect(end.steps).toBeGreaterThan(4 * 4);
});

test('a text of 2 MB that arrives in short events is repeated in many steps', () => {
  const translation = fold();
  let text = '';
  for (let at = 0; at < TEXT.length; at += 10_000) {
    const made = translation.push(encoder.encode(event({ content: TEXT.slice(at, at + 10_000) })));
    expect(isSteps(made)).toBe(false);
    text += read(made).text;
  }
  const end = read(translation.push(encoder.encode(END)));
  expect(texts(text + end.text)).toMatchObject(WHOLE);
  expect(end.steps).toBeGreaterThan(4 * 4);
});

test('the answer for the record is written in many steps', () => {
  const tap = new Tap(PASSING, Infinity, 1);
  tap.chunk({ choices: [{ index: 0, delta: { content: TEXT }, finish_reason: 'stop' }] }, TEXT.length);
  const steps = tap.assembled();
  let count = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) {
      expect(step.value).toContain(JSON.stringify(TEXT));
      break;
    }
    count += 1;
  }
  expect(count).toBeGreaterThan(3);
});

test('a streamed answer of 2 MB is in its record', async () => {
  const sse = `${event({ content: TEXT })}${END}`;
  using upstream = Bun.serve({
    port: 0,
    fetch: () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
  });
  await using proxy = running({ providers: [provider('up', `${upstream.url.href}v1`)] });
  const response = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
  expect(await response.text()).toContain(JSON.stringify(TEXT));
  const [record] = await proxy.recorded(1);
  expect(record).toMatchObject({ outcome: 'success', finish: 'stop' });
  expect(JSON.parse(String(record!.response)).choices[0].message.content).toBe(TEXT);
});

/** A pump of one answer. @param failure the last events, if the answer fails after its pieces */
function pumped(
  pieces: (Uint8Array | undefined)[],
  ended: string[],
  failure?: Events,
): ReadableStream<Uint8Array> {
  const clock = new FakeClock();
  const tap = { done: false, kept: 0 } as Tap;
  const flow = {
    tap,
    next: async () => {
      const piece = pieces.shift();
      if (failure && !piece) throw new ProxyError('truncated', 'cut');
      if (pieces.length === 0 && !failure) Object.assign(tap, { done: true });
      return piece;
    },
    finish: () => undefined,
    fail: () => failure,
    drain: async () => undefined,
    cancel: async () => undefined,
  };
  const owner = {
    resume: async () => undefined,
    overuse: () => undefined,
    ended: (end: { outcome: string }, sent: number) => ended.push(`${end.outcome} ${sent}`),
    stalled: () => undefined,
  };
  const streamed = { flow, held: undefined, release: () => undefined } as never;
  const budget = new StreamBudget(clock, { unread: Infinity, recording: Infinity });
  const options = { clock, turns, budget, requestId: 'r', mask: String, keepaliveMs: 0, stallMs: 1_000 };
  return new ReadableStream(new Pump(streamed, owner, { ...options, form: 'events' }));
}

test('Pump sends a long event in pieces, and ends when all of it was sent', async () => {
  const long = new Uint8Array(2_500_000).fill(7);
  const ended: string[] = [];
  const sizes: number[] = [];
  for await (const piece of pumped([encoder.encode('a'), long], ended)) {
    sizes.push(piece.length);
    if (sizes.length === 2) expect(ended).toEqual([]);
  }
  expect(sizes).toEqual([1, 1_048_576, 1_048_576, 402_848]);
  expect(ended).toEqual(['success 2500001']);
});

test('Pump reports a client that disconnects within a long event', async () => {
  const ended: string[] = [];
  const reader = pumped([new Uint8Array(5_000_000)], ended).getReader();
  await reader.read();
  await reader.cancel();
  expect(ended[0]).toStartWith('client_abort');
});

test('Pump sends all of the last events of a failed answer, also if they repeat megabytes of it', async () => {
  const data = { type: 'response.failed', text: '\n'.repeat(2_000_000) };
  const ended: string[] = [];
  const sent = await new Response(pumped([new Uint8Array([7])], ended, ['a', { name: 'b', data }])).text();
  expect(sent === `\u0007aevent: b\ndata: ${JSON.stringify(data)}\n\n`).toBe(true);
  expect(ended).toEqual(['truncated 1']);
});

test('streamInSteps() writes a long answer in short steps', () => {
  const client = clientOf('responses').decode({ model: 'm', input: 'Hi', stream: true }, CONTEXT);
  const chunk = (delta: object, finish: string | null) =>
    ({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }) as ChatChunk;
  const make = () => streamInSteps([chunk({ content: TEXT }, null), chunk({}, 'stop')], client.stream());
  expect(texts(new TextDecoder().decode(atOnce(make())))).toMatchObject(WHOLE);
  expect(longestShare(make)).toBeLessThan(1 / 2);
});

test.each(['ollama.chat', 'gemini', 'messages'] as const)(
  'streamInSteps() writes long arguments and signatures for %s in short steps',
  (endpoint) => {
    const request = endpoint === 'gemini' ? { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] } : CHAT;
    const client = clientOf(endpoint).decode({ ...request, max_tokens: 9 }, CONTEXT);
    const chunk = (delta: object, finish: string | null) =>
      ({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }) as ChatChunk;
    const seal = { type: 'thinking', thinking: 'a', signature: 'A'.repeat(2_000_000) };
    const called = { name: 'f', arguments: JSON.stringify({ a: TEXT.repeat(2) }) };
    const chunks = [
      chunk({ reasoning_content: 'a', thinking_blocks: [seal] }, null),
      chunk({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: called }] }, 'tool_calls'),
    ];
    const make = () => streamInSteps(chunks, client.stream());
    const written = new TextDecoder().decode(atOnce(make()));
    expect(framesOf(written, []).length).toBeGreaterThan(1);
    expect(written.includes('some of them')).toBe(true);
    expect(longestShare(make)).toBeLessThan(1 / 2);
  },
);
