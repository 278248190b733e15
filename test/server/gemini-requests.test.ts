/** Requests of Gemini's clients that not every provider supports: dropped and named, or sent to the one that does. */
import { describe, expect, test } from 'bun:test';
import { running } from '../helpers/proxy.ts';
import { speaker, speakerConfig, SPEAKERS } from '../helpers/speakers.ts';
import type { SpeakerName } from '../helpers/speakers.ts';

const OTHERS = (Object.keys(SPEAKERS) as SpeakerName[]).filter((name) => name !== 'gemini');
const PATHS = [
  '/v1beta/models/m-1:generateContent',
  '/v1/projects/p/locations/l/publishers/google/models/m-1:generateContent',
] as const;
const user = (...parts: object[]) => ({ role: 'user', parts });
const FILE = {
  file_data: { mime_type: 'image/png', file_uri: 'https://generativelanguage.googleapis.com/v1beta/files/a' },
};

async function asked(name: SpeakerName, body: object, path: string = PATHS[0]) {
  await using provider = speaker(name, 'whole');
  await using proxy = running({ providers: [{ ...speakerConfig(name, provider.url), models: ['m-1'] }] });
  const reply = await proxy.post(path, body);
  const text = await reply.text();
  const dropped = reply.headers.get('x-llmproxy-dropped')?.split(', ') ?? [];
  return { status: reply.status, text, dropped, sent: provider.asked.map((each) => each.text) };
}

describe.each(OTHERS)('for a %s provider', (name) => {
  test('Google’s own tools are named as dropped with the client’s names', async () => {
    const body = { contents: [user({ text: 'Hi' })], tools: [{ url_context: {} }, { googleMaps: {} }] };
    for (const path of PATHS) {
      const { status, dropped } = await asked(name, body, path);
      expect([status, dropped]).toEqual([200, ['tools.googleMaps', 'tools.urlContext']]);
    }
  });

  test('a file that only Google has is refused before anything is sent', async () => {
    const { status, text, sent } = await asked(name, { contents: [user({ text: 'Look' }, FILE)] });
    expect([status, sent]).toEqual([400, []]);
    expect(text).toContain('only Gemini can read the file it refers to');
  });

  test('an image from the model is refused if only Google has it', async () => {
    const { status, sent } = await asked(
      name,
      {
        model: 'm-1',
        input: [
          { type: 'user_input', content: 'Draw' },
          {
            type: 'model_output',
            content: [{ type: 'image', mime_type: 'image/png', uri: 'gs://bucket/a' }],
          },
          { type: 'user_input', content: 'Again' },
        ],
      },
      '/v1beta/interactions',
    );
    expect([status, sent]).toEqual([400, []]);
  });

  test('audio from the model is named as dropped', async () => {
    const said = { role: 'model', parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }] };
    const { status, dropped } = await asked(name, {
      contents: [user({ text: 'Sing' }), said, user({ text: 'Again' })],
    });
    expect([status, dropped]).toEqual([200, ['audio']]);
  });
});

test('a file that only Google has is sent to Gemini', async () => {
  await using first = speaker('chat', 'whole');
  await using second = speaker('gemini', 'whole');
  await using proxy = running({
    providers: [
      { ...speakerConfig('chat', first.url), name: 'first', models: ['m-1'], priority: 1 },
      { ...speakerConfig('gemini', second.url), name: 'second', models: ['m-1'], priority: 2 },
    ],
  });
  const reply = await proxy.post('/v1beta/models/m-1:generateContent', {
    contents: [user({ text: 'Look' }, FILE)],
  });
  await reply.text();
  expect([reply.status, first.asked.length, second.asked.length]).toEqual([200, 0, 1]);
});
