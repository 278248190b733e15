import { describe, expect, test } from 'bun:test';
import type { ChatMessage, ContentPart } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { geminiProtocol } from '../../src/wire/gemini/protocol.ts';

const NEW = 'gemini-3.5-flash';
const OLD = 'gemini-2.5-flash';

function contentsOf(messages: unknown[], model = OLD, remembered: Record<string, JsonObject> = {}): unknown {
  const memory = { get: (id: string) => remembered[id], set: () => undefined };
  const request = { model: 'any', messages: messages as ChatMessage[] };
  const context = { model, quirks: {}, created: 1, newId: () => 'abc', memory };
  return geminiProtocol.encode(request, context).body.contents;
}

function faultOf(run: () => unknown): { fault: string; param: string | undefined } {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ProxyError) return { fault: thrown.fault, param: thrown.param };
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

const hi = { role: 'user', content: 'Hi' };
const call = (id: string, extra = {}) => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: `{"at":"${id}"}` },
  ...extra,
});
const result = (id: string, content: unknown = id, extra = {}) => ({
  role: 'tool',
  tool_call_id: id,
  content,
  ...extra,
});

describe('turns', () => {
  test('of one role are merged, and the assistant becomes the model', () => {
    expect(
      contentsOf([hi, { role: 'user', content: 'You?' }, { role: 'assistant', content: 'Fine' }, hi]),
    ).toEqual([
      { role: 'user', parts: [{ text: 'Hi' }, { text: 'You?' }] },
      { role: 'model', parts: [{ text: 'Fine' }] },
      { role: 'user', parts: [{ text: 'Hi' }] },
    ]);
  });

  test('without text are left out, unless nothing else is left', () => {
    const empty = { role: 'user', content: '' };
    expect(contentsOf([hi, { role: 'assistant', content: null }, empty])).toEqual([
      { role: 'user', parts: [{ text: 'Hi' }] },
    ]);
    expect(contentsOf([empty])).toEqual([{ role: 'user', parts: [{ text: '' }] }]);
    expect(contentsOf([{ role: 'system', content: 'Go' }])).toEqual([
      { role: 'user', parts: [{ text: 'Go' }] },
    ]);
  });

  test('keep the text of refusals', () => {
    const parts = [{ type: 'refusal', refusal: 'No' }];
    expect(
      contentsOf([hi, { role: 'assistant', content: parts }, hi, { role: 'assistant', refusal: 'No!' }]),
    ).toEqual([
      { role: 'user', parts: [{ text: 'Hi' }] },
      { role: 'model', parts: [{ text: 'No' }] },
      { role: 'user', parts: [{ text: 'Hi' }] },
      { role: 'model', parts: [{ text: 'No!' }] },
    ]);
  });

  test.each([
    [[null], 'messages[0]'],
    [[{ role: 'user', content: {} }], 'messages[0]'],
    [[hi, { role: 'judge', content: 'x' }], 'messages[1]'],
    [
      [{ role: 'system', content: [{ type: 'image_url', image_url: 'https://a.example/b.png' }] }],
      'messages[0]',
    ],
    [
      [{ role: 'assistant', tool_calls: [{ ...call('a'), function: { arguments: '{}' } }] }],
      'messages[0].tool_calls[0]',
    ],
    [[hi, result('nobody')], 'messages[1]'],
  ])('that are invalid are refused by name: %j', (messages, param) => {
    expect(faultOf(() => contentsOf(messages))).toEqual({ fault: 'invalid_request', param });
  });
});

describe('parts', () => {
  const part = (value: unknown) => contentsOf([{ role: 'user', content: [value] }]);
  const parts = (...list: unknown[]) => [{ role: 'user', parts: list }];
  const at = (mimeType: string, fileUri: string) => parts({ fileData: { mimeType, fileUri } });
  const inline = (mimeType: string, data: string) => parts({ inlineData: { mimeType, data } });

  test.each<[ContentPart, unknown]>([
    [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }, inline('image/png', 'AAAA')],
    [
      { type: 'image_url', image_url: 'data:text/plain;charset=utf-8;base64,QQ==' },
      inline('text/plain', 'QQ=='),
    ],
    [
      { type: 'image_url', image_url: { url: 'https://a.example/b.PNG?w=1.5', detail: 'low' } },
      at('image/png', 'https://a.example/b.PNG?w=1.5'),
    ],
    [
      { type: 'image_url', image_url: { url: 'https://a.example/b' } },
      at('image/jpeg', 'https://a.example/b'),
    ],
    [{ type: 'video_url', video_url: { url: 'gs://bucket/film' } }, at('video/mp4', 'gs://bucket/film')],
    [
      { type: 'audio_url', audio_url: { url: 'https://a.example/b.wav' } },
      at('audio/wav', 'https://a.example/b.wav'),
    ],
    [{ type: 'audio_url', audio_url: { url: 'gs://bucket/song' } }, at('audio/mpeg', 'gs://bucket/song')],
    [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } }, inline('audio/mp3', 'AAAA')],
    [
      { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } },
      inline('application/pdf', 'AAAA'),
    ],
    [
      { type: 'file', file: { file_id: 'https://files.example/v1/x', filename: 'notes.csv' } },
      at('text/csv', 'https://files.example/v1/x'),
    ],
  ])('encode %j', (given, encoded) => {
    expect(part(given)).toEqual(encoded);
  });

  test.each([
    [{ type: 'file', file: { file_id: 'file-abc' } }, 'unsupported'],
    [{ type: 'sculpture' }, 'unsupported'],
    [{ type: 'image_url', image_url: { url: 'ftp://a.example/b' } }, 'invalid_request'],
    [{ type: 'input_audio', input_audio: { format: 'wav' } }, 'invalid_request'],
  ])('that Gemini does not accept are refused: %j', (given, fault) => {
    expect(faultOf(() => part(given))).toEqual({ fault, param: 'messages[0].content[0]' });
  });
});

describe('function calls', () => {
  const made = (...parts: unknown[]) => [
    { role: 'user', parts: [{ text: 'Hi' }] },
    { role: 'model', parts },
  ];

  test('have no ids and no signatures before Gemini 3', () => {
    expect(
      contentsOf([hi, { role: 'assistant', content: 'So', tool_calls: [call('a'), call('b')] }]),
    ).toEqual(
      made(
        { text: 'So' },
        { functionCall: { name: 'look', args: { at: 'a' } } },
        { functionCall: { name: 'look', args: { at: 'b' } } },
      ),
    );
  });

  test('have ids from Gemini 3 on, and the first of a turn has a placeholder for a lost signature', () => {
    expect(contentsOf([hi, { role: 'assistant', tool_calls: [call('a'), call('b')] }], NEW)).toEqual(
      made(
        {
          functionCall: { id: 'a', name: 'look', args: { at: 'a' } },
          thoughtSignature: 'skip_thought_signature_validator',
        },
        { functionCall: { id: 'b', name: 'look', args: { at: 'b' } } },
      ),
    );
  });

  test('get their signature from the client, or else from memory', () => {
    const google = (thought_signature: string) => ({ extra_content: { google: { thought_signature } } });
    const calls = [call('a', google('from-client')), call('b')];
    const remembered = { a: google('old'), b: google('from-memory') };
    const [, turn] = contentsOf([hi, { role: 'assistant', tool_calls: calls }], NEW, remembered) as {
      parts: JsonObject[];
    }[];
    expect(turn!.parts.map((each) => each.thoughtSignature)).toEqual(['from-client', 'from-memory']);
  });

  test('leave the signature of a text on its last part', () => {
    const extra_content = { google: { thought_signature: 's' } };
    expect(contentsOf([hi, { role: 'assistant', content: 'Yes', extra_content }], NEW)).toEqual(
      made({ text: 'Yes', thoughtSignature: 's' }),
    );
  });

  test('without arguments have an empty object', () => {
    const bare = { id: 'a', type: 'function', function: { name: 'look', arguments: '' } };
    expect(contentsOf([hi, { role: 'assistant', tool_calls: [bare] }])).toEqual(
      made({ functionCall: { name: 'look', args: {} } }),
    );
  });

  test('of custom tools are refused', () => {
    const custom = { id: 'a', type: 'custom', custom: { name: 'x', input: 'y' } };
    expect(faultOf(() => contentsOf([hi, { role: 'assistant', tool_calls: [custom] }])).fault).toBe(
      'unsupported',
    );
  });
});

describe('function results', () => {
  const asked = { role: 'assistant', tool_calls: [call('a'), call('b')] };
  const after = (messages: unknown[], model = OLD) =>
    (contentsOf([hi, asked, ...messages], model) as unknown[]).slice(2);
  const answer = (response: unknown, extra = {}) => ({
    functionResponse: { name: 'look', response, ...extra },
  });

  test('are in one content, in the order of their calls, without ids before Gemini 3', () => {
    const both = [answer({ result: 'a' }), answer({ result: 'b' })];
    expect(after([result('b'), { role: 'system', content: 'Hm' }, result('a')])).toEqual([
      { role: 'user', parts: both },
    ]);
  });

  test('have ids from Gemini 3 on', () => {
    expect(after([result('b'), result('a')], NEW)).toEqual([
      { role: 'user', parts: [answer({ result: 'a' }, { id: 'a' }), answer({ result: 'b' }, { id: 'b' })] },
    ]);
  });

  test('are in a content of their own, before the next user message', () => {
    expect(after([result('a'), result('b'), { role: 'user', content: 'And?' }])).toEqual([
      { role: 'user', parts: [answer({ result: 'a' }), answer({ result: 'b' })] },
      { role: 'user', parts: [{ text: 'And?' }] },
    ]);
  });

  test('belong to the latest call with their id', () => {
    const other = { ...call('a'), function: { name: 'other', arguments: '{}' } };
    const messages = [result('a'), result('b'), { role: 'assistant', tool_calls: [other] }, result('a')];
    expect((after(messages) as unknown[]).at(-1)).toEqual({
      role: 'user',
      parts: [{ functionResponse: { name: 'other', response: { result: 'a' } } }],
    });
  });

  test.each([
    ['{"ok":true}', {}, { ok: true }],
    ['[1,2]', {}, { result: [1, 2] }],
    ['12345678901234567890', {}, { result: '12345678901234567890' }],
    ['null', {}, { result: 'null' }],
    ['', {}, { result: '' }],
    [null, {}, { result: '' }],
    [
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
      {},
      { result: 'ab' },
    ],
    ['gone', { is_error: true }, { error: 'gone' }],
    ['{"why":1}', { is_error: true }, { error: { why: 1 } }],
  ])('are sent as objects: %j %j', (content, extra, response) => {
    expect(after([result('a', content, extra)])).toEqual([{ role: 'user', parts: [answer(response)] }]);
  });

  test('contain inline media from Gemini 3 on, and are followed by them before', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const link = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };
    const messages = [result('a', [{ type: 'text', text: 'See' }, image, link]), result('b')];
    const inlineData = { mimeType: 'image/png', data: 'AAAA' };
    const fileData = { mimeType: 'image/png', fileUri: 'https://a.example/b.png' };
    expect(after(messages, NEW)).toEqual([
      {
        role: 'user',
        parts: [
          answer({ result: 'See' }, { id: 'a', parts: [{ inlineData }] }),
          answer({ result: 'b' }, { id: 'b' }),
        ],
      },
      { role: 'user', parts: [{ fileData }] },
    ]);
    expect(after(messages)).toEqual([
      { role: 'user', parts: [answer({ result: 'See' }), answer({ result: 'b' })] },
      { role: 'user', parts: [{ inlineData }, { fileData }] },
    ]);
  });

  test('of the old function role use the name of the function', () => {
    const message = { role: 'function', name: 'look', content: 'x' };
    expect(contentsOf([hi, message])).toEqual([
      { role: 'user', parts: [{ text: 'Hi' }] },
      { role: 'user', parts: [answer({ result: 'x' })] },
    ]);
  });
});
