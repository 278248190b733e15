/** Implausible usage from a provider uses up no shared limits. */
import { expect, test } from 'bun:test';
import { anthropicUsage } from '../../src/wire/anthropic/usage.ts';
import { chargedUsage } from '../../src/wire/charged.ts';
import { openaiUsage } from '../../src/wire/usage.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { speakerConfig } from '../helpers/speakers.ts';
import { upstream } from '../helpers/upstream.ts';

const HUGE = 9_000_000_000_000_000;

/** An answer of each protocol with this many tokens. */
const ANSWERS: Readonly<Record<string, (tokens: number) => object>> = {
  chat: (tokens) => ({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens },
  }),
  messages: (tokens) => ({
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: 'hi' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: tokens, output_tokens: tokens },
  }),
  gemini: (tokens) => ({
    candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: tokens, candidatesTokenCount: tokens },
  }),
};

test.each(Object.keys(ANSWERS))(
  'implausibly large token counts from a %s provider are ignored',
  async (name) => {
    let tokens = HUGE;
    await using provided = upstream(() => Response.json(ANSWERS[name]!(tokens)));
    const speaker = name as 'chat' | 'messages' | 'gemini';
    await using proxy = running({
      providers: [{ ...speakerConfig(speaker, provided.url), name: 'a', models: ['*'] }],
      rate_limits: [{ tokens: 100_000, per: 'day' }],
    });
    for (let n = 0; n < 3; n += 1)
      expect((await proxy.post('/v1/chat/completions', { ...CHAT, max_tokens: 9 })).status).toBe(200);
    tokens = 1_234;
    expect((await proxy.post('/v1/chat/completions', { ...CHAT, max_tokens: 9 })).status).toBe(200);
    const records = await proxy.recorded(4);
    expect(records.map(({ output_tokens }) => output_tokens)).toEqual([null, null, null, 1_234]);
  },
);

test('recordings longer than a week and implausible search counts are ignored', () => {
  const seconds = (duration: unknown) => chargedUsage('audio.transcriptions', { duration }, {}).seconds;
  expect([seconds(1e300), seconds('1e9'), seconds(604_800), seconds('12.5')]).toEqual([
    undefined,
    undefined,
    604_800,
    12.5,
  ]);
  const searches = (web_search_requests: number) =>
    [openaiUsage, anthropicUsage].map(
      (read) =>
        read({ input_tokens: 1, output_tokens: 1, server_tool_use: { web_search_requests } })!.webSearches,
    );
  expect([searches(HUGE), searches(3)]).toEqual([
    [undefined, undefined],
    [3, 3],
  ]);
});
