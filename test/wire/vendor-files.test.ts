/** Files that only their vendor can read, in requests to other providers. */
import { describe, expect, test } from 'bun:test';
import type { ContentPart } from '../../src/wire/chat.ts';
import type { ProtocolName } from '../../src/wire/protocol.ts';
import type { Quirks } from '../../src/wire/quirks.ts';
import { ProxyError } from '../../src/errors.ts';
import { fit } from '../../src/wire/fit.ts';
import { Issued } from '../../src/wire/parts/issued.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

const OTHERS: readonly ProtocolName[] = ['chat', 'messages', 'responses', 'converse', 'cohere'];
const ISSUED = new Issued(NO_MEMORY, 'issuer', false);
const FILE = 'https://generativelanguage.googleapis.com/v1beta/files/abc';

function refusal(part: object, protocol: ProtocolName, quirks: Quirks = {}, model = 'm'): object | undefined {
  const content = [{ type: 'text', text: 'Look' }, part] as ContentPart[];
  const request = { model: 'm', messages: [{ role: 'user', content }] };
  try {
    fit(request, { protocol, model, quirks, issued: ISSUED, memory: NO_MEMORY });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown;
    const { fault, param, message } = thrown;
    return { fault, param, message };
  }
}

const refusedBut = (owner: string) => ({
  fault: 'unsupported',
  param: 'messages[0].content[1]',
  message: `Cannot translate messages[0].content[1]: only ${owner} can read the file it refers to`,
});
const REFUSED = refusedBut('Gemini');
const byId = (id: string) => ({ type: 'file', file: { file_id: id } });

describe('a file at Google:', () => {
  test.each<[object]>([
    [{ type: 'image_url', image_url: { url: FILE } }],
    [{ type: 'image_url', image_url: 'gs://bucket/a.png' }],
    [{ type: 'video_url', video_url: { url: 'https://www.youtube.com/watch?v=1' } }],
    [{ type: 'audio_url', audio_url: { url: FILE } }],
    [{ type: 'file', file: { file_data: 'https://youtu.be/1' } }],
    [{ type: 'file', file: { file_data: 'files/abc-1' } }],
    [{ type: 'file', file: { file_id: FILE } }],
    [{ type: 'document_url', document_url: FILE }],
  ])('%j is sent to no other vendor', (part) => {
    for (const protocol of OTHERS) expect(refusal(part, protocol)).toEqual(REFUSED);
    expect(refusal(part, 'gemini')).toBeUndefined();
    expect(refusal(part, 'chat', { keeps: ['extra_content'] })).toBeUndefined();
    expect(refusal(part, 'chat', {}, 'google/gemini-3-flash')).toBeUndefined();
    expect(refusal(part, 'chat', { like: 'gemini-3-flash' }, 'fast')).toBeUndefined();
    expect(refusal(part, 'messages', {}, 'gemini')).toEqual(REFUSED);
  });

  test.each<[object]>([
    [{ type: 'image_url', image_url: { url: 'https://a.example/youtube.com/x.png' } }],
    [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
    [{ type: 'file', file: { file_data: 'https://storage.googleapis.com/bucket/a.pdf?sig=1' } }],
    [byId('file-abc')],
    [{ type: 'text', text: 'gs://bucket/a' }],
  ])('%j is not treated as one', (part) => {
    for (const protocol of OTHERS) expect(refusal(part, protocol)).toBeUndefined();
  });
});

test('a file at Anthropic is sent to Claude only', () => {
  const file = byId('file_011CNha8iCJcU1wXNR6q4V8w');
  for (const protocol of ['chat', 'responses', 'gemini', 'converse', 'cohere'] as const)
    expect(refusal(file, protocol)).toEqual(refusedBut('Claude'));
  expect(refusal(file, 'messages')).toBeUndefined();
  expect(refusal(file, 'chat', {}, 'anthropic/claude-sonnet-4-5')).toBeUndefined();
  expect(refusal(byId('file_1'), 'chat')).toBeUndefined();
});

test('a file at OpenAI is sent by OpenAI’s APIs only', () => {
  const file = byId('file-5dskxx7B6SVyAyRgAHzTJ2');
  for (const protocol of ['messages', 'gemini', 'converse', 'cohere'] as const)
    expect(refusal(file, protocol)).toEqual(refusedBut('OpenAI'));
  for (const protocol of ['chat', 'responses'] as const) expect(refusal(file, protocol)).toBeUndefined();
});
