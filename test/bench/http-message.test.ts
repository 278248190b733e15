import { expect, test } from 'bun:test';
import { MessageReader } from '../../bench/http-message.ts';

const MESSAGES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n',
  'POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}',
];
const READ = ['200 hello', '204 ', '200 0\r\n\r\nabcdefghijklmnopqrstuvwxyz', 'v1/ {}'];

function readPieces(pieces: readonly Buffer[]): readonly string[] {
  const read: string[] = [];
  let message = '';
  const reader = new MessageReader({
    head: (text) => {
      message = `${text.startsWith('POST') ? text.slice(6, 9) : text.slice(9, 12)} `;
    },
    body: (part) => {
      message += part.toString();
    },
    end: () => void read.push(message),
  });
  // A socket uses the same memory for the next piece.
  const memory = Buffer.alloc(4096);
  for (const piece of pieces) {
    piece.copy(memory);
    reader.read(memory.subarray(0, piece.length));
  }
  return read;
}

test('MessageReader reads messages the same wherever they are cut in two places', () => {
  const bytes = Buffer.from(MESSAGES.join(''));
  for (let first = 0; first < bytes.length; first += 1)
    for (let second = first; second < bytes.length; second += 5)
      expect(
        readPieces([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]),
      ).toEqual(READ);
});

test('MessageReader reads messages that arrive a byte at a time', () => {
  const bytes = Buffer.from(MESSAGES.join(''));
  expect(readPieces(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(READ);
});
