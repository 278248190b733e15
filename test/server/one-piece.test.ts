import { expect, test } from 'bun:test';
import { CHAT, provider, running } from '../helpers/proxy.ts';
import { completion, upstream } from '../helpers/upstream.ts';
import { inOnePiece, SCATTERED } from '../../src/server/one-piece.ts';

test('inOnePiece() returns the bytes in a single piece', async () => {
  const bytes = new Uint8Array(SCATTERED).map((_, at) => at % 251);
  const pieces = await Array.fromAsync(inOnePiece(bytes));
  expect(pieces).toEqual([bytes]);
});

// System calls can only be counted from outside the process, but the framing of an answer shows how it was written.
test.each([
  [100, null],
  [SCATTERED, 'chunked'],
  [10 * SCATTERED, 'chunked'],
] as const)('an answer of at least %d characters has the transfer encoding %p', async (length, encoding) => {
  const answer = completion('x'.repeat(length));
  const text = await answer.clone().text();
  await using provided = upstream(() => answer);
  await using proxy = running({ providers: [provider('a', provided.url)] });
  const response = await proxy.post('/v1/chat/completions', CHAT);
  expect(response.headers.get('transfer-encoding')).toBe(encoding);
  expect(await response.text()).toBe(text);
});
