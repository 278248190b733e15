import { expect, test } from 'bun:test';
import { LinesFold } from '../../src/pipeline/lanes/lines-fold.ts';
import { RelayFold } from '../../src/pipeline/lanes/relay-fold.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { folded } from '../helpers/steps.ts';

const line = (content: string, done = false) =>
  JSON.stringify({ message: { role: 'assistant', content }, done });
const EVENTS = [line('a'), line('ü\r\n'), line('', true)].map((text) => `data: ${text}\n\n`).join('');

/** What a stream becomes when it is cut at a position, and then into pieces of some size. */
function read(text: string, cut: number, size: number): string {
  const bytes = new TextEncoder().encode(text);
  const fold = new LinesFold(new RelayFold(new Tap(passingOf('ollama.chat'), Infinity, 1), 'a/m', ''));
  const got: Uint8Array[] = [];
  const take = (piece: Uint8Array | undefined) => piece && got.push(piece);
  for (let at = 0, end = Math.min(cut, bytes.length); at < bytes.length; at = end, end += size)
    take(folded(fold.push(bytes.subarray(at, end))));
  take(folded(fold.end()));
  return Buffer.concat(got).toString();
}

test.each([
  ['line feeds', '\n', '\n'],
  ['both characters of a line end', '\r\n', '\r\n'],
  ['empty lines in between', '\n\r\n\n', '\n'],
  ['a last line without its end', '\n', ''],
  ['a last line with half of its end', '\r\n', '\r'],
])('LinesFold reads lines with %s as events, wherever the stream is cut', (_, between, last) => {
  const text = [line('a'), line('ü\r\n'), line('', true)].join(between) + last;
  for (let cut = 1; cut <= Buffer.byteLength(text); cut += 1)
    for (const size of [1, 7, text.length]) expect(read(text, cut, size)).toBe(EVENTS);
});
