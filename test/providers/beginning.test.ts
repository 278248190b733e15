import { expect, test } from 'bun:test';
import { beginning } from '../../src/providers/beginning.ts';
import { pieces, upstream } from '../helpers/upstream.ts';

test('beginning() returns the text of a short body that is cut at any byte', async () => {
  const bytes = new TextEncoder().encode('größer 😀');
  for (let size = 1; size <= bytes.length; size += 1) {
    expect(await beginning(pieces(bytes, [size]))).toBe('größer 😀');
  }
  expect(await beginning(null)).toBe('');
});

test('beginning() cancels an endless body', async () => {
  const { promise: letGo, resolve } = Promise.withResolvers<void>();
  const filling = new Uint8Array(10_000).fill(97);
  await using provided = upstream(
    () => new Response(new ReadableStream({ pull: (to) => to.enqueue(filling), cancel: () => resolve() })),
  );
  expect(await beginning((await fetch(provided.url)).body)).toBe('a'.repeat(64 * 1024));
  await letGo;
});

test('beginning() fails if the body fails', async () => {
  const broken = new ReadableStream<Uint8Array>({ pull: (to) => to.error(new RangeError('cut')) });
  expect(beginning(broken)).rejects.toThrow('cut');
});
