import { expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../src/wire/json.ts';
import { tokensOf } from '../../src/wire/estimate.ts';
import { pictureTokens } from '../../src/wire/media-tokens.ts';
import { countable } from '../../src/wire/tokens.ts';

const b64 = (bytes: number, begin: Uint8Array = new Uint8Array()) =>
  Buffer.concat([begin, Buffer.alloc(Math.max(0, bytes - begin.length))]).toString('base64');

function png(width: number, height: number): Buffer {
  const head = Buffer.alloc(33);
  head.write('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 'latin1');
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}

function gif(width: number, height: number): Buffer {
  const head = Buffer.alloc(40);
  head.write('GIF89a');
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  return head;
}

function jpeg(width: number, height: number): Buffer {
  const head = Buffer.alloc(60);
  // A segment of 16 bytes comes before the frame header.
  head.set([0xff, 0xd8, 0xff, 0xe0, 0, 16]);
  head.set([0xff, 0xc2, 0, 17, 8], 20);
  head.writeUInt16BE(height, 25);
  head.writeUInt16BE(width, 27);
  return head;
}

function webp(chunk: string, write: (head: Buffer) => void): Buffer {
  const head = Buffer.alloc(60);
  head.write('RIFF....WEBP', 'latin1');
  head.write(chunk, 12, 'latin1');
  write(head);
  return head;
}

test.each([
  ['PNG', png(512, 512), 85 + 170],
  ['PNG', png(1024, 1024), 765],
  ['PNG', png(8192, 4096), 85 + 170 * 3 * 2],
  ['PNG', png(10, 1), 85 + 170],
  ['GIF', gif(600, 300), 85 + 170 * 2],
  ['JPEG', jpeg(2048, 4096), 85 + 170 * 2 * 3],
  ['WebP', webp('VP8 ', (head) => (head.writeUInt16LE(600, 26), head.writeUInt16LE(300, 28))), 425],
  ['WebP', webp('VP8X', (head) => (head.writeUIntLE(599, 24, 3), head.writeUIntLE(299, 27, 3))), 425],
  ['WebP', webp('VP8L', (head) => head.writeUInt32LE(599 | (299 << 14), 21)), 425],
  ['an impossible size', png(4_000_000_000, 4_000_000_000), 765],
  ['not an image', Buffer.from('%PDF-1.7 and so on, for some more bytes'), 765],
])('pictureTokens() depends on the size of the image: %s %#', (_, bytes, tokens) => {
  expect(pictureTokens(`data:image/png;base64,${b64(5_000, bytes)}`)).toBe(tokens);
});

const PDF = b64(500_000);
const IMAGE = b64(9_000, png(512, 512));
const part = (value: JsonObject) => ({ role: 'user', content: [value] });

const MEDIA: readonly (readonly [string, JsonObject, number])[] = [
  [
    'a picture of chat',
    part({ type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}` } }),
    255,
  ],
  [
    'a picture by its address',
    part({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }),
    765,
  ],
  ['a picture of Responses', part({ type: 'input_image', image_url: `data:image/png;base64,${IMAGE}` }), 255],
  [
    'a picture of Messages',
    part({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: IMAGE } }),
    255,
  ],
  [
    'a picture of Messages by its address',
    part({ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }),
    765,
  ],
  [
    'a PDF of chat',
    part({ type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` } }),
    20_000,
  ],
  ['a PDF of chat in plain base64', part({ type: 'file', file: { file_data: PDF } }), 20_000],
  ['a file of chat by its id', part({ type: 'file', file: { file_id: 'file-1' } }), 6_000],
  [
    'a PDF of Responses',
    part({ type: 'input_file', file_data: `data:application/pdf;base64,${PDF}` }),
    20_000,
  ],
  [
    'a PDF of Responses by its address',
    part({ type: 'input_file', file_url: 'https://example.com/a.pdf' }),
    6_000,
  ],
  [
    'a PDF of Messages',
    part({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } }),
    20_000,
  ],
  [
    'a document of Messages by its id',
    part({ type: 'document', source: { type: 'file', file_id: 'file-1' } }),
    6_000,
  ],
  [
    'a text in base64',
    part({ type: 'file', file: { file_data: `data:text/plain;base64,${b64(4_000)}` } }),
    1_000,
  ],
  ['a sound of chat', part({ type: 'input_audio', input_audio: { data: b64(320_000), format: 'wav' } }), 160],
];

test.each(MEDIA.map(([name, message, tokens]) => ({ name, message, tokens })))(
  'tokensOf() counts $tokens tokens for $name',
  ({ message, tokens }) => {
    const given = tokensOf({ messages: [message] } as Json);
    expect(given).toBeGreaterThanOrEqual(tokens);
    expect(given).toBeLessThan(tokens + 40);
  },
);

test('tokensOf() counts text that only looks like media as text', () => {
  const words = 'some words '.repeat(500);
  for (const value of [
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: words } },
    { source: words },
    { data: words, type: 'text' },
    { url: `https://example.com/${words}` },
  ]) {
    expect(tokensOf(value as unknown as Json)).toBeGreaterThan(900);
  }
});

test('countable() counts images, audio and files', () => {
  const others = MEDIA.filter(([name]) => name.includes('chat')).map(([, message, tokens]) => {
    const counted = countable({ messages: [message as never], tools: undefined } as never);
    expect(counted.texts).toEqual(['user']);
    return [counted.others - 6, tokens];
  });
  expect(others.map(([given]) => given)).toEqual(others.map(([, wanted]) => wanted));
});
