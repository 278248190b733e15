import { expect, test } from 'bun:test';
import type { ChatChunk, ChatDelta } from '../../src/wire/chat.ts';
import { canonicalAssembler } from '../../src/wire/parts/assemble.ts';
import { shortChunks } from '../../src/wire/short-chunks.ts';

const LONG = 600_000;
const chunk = (delta: ChatDelta, more: object = {}): ChatChunk => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }],
});
const call = (index: number, text: string) => ({
  index,
  id: `call_${index}`,
  type: 'function' as const,
  function: { name: 'f', arguments: text },
});

function assembled(chunks: readonly ChatChunk[]) {
  const assembler = canonicalAssembler();
  for (const each of chunks) assembler.push(each as never);
  return assembler.result();
}

test.each<[string, ChatDelta, number]>([
  ['text', { role: 'assistant', content: 'word '.repeat(LONG / 5) }, 4],
  ['reasoning before text', { reasoning_content: 'x'.repeat(LONG), content: 'yes' }, 4],
  ['a refusal', { refusal: 'x'.repeat(LONG) }, 3],
  ['characters of two code units', { content: `a${'😀'.repeat(LONG / 2)}` }, 3],
  ['two calls', { tool_calls: [call(0, 'x'.repeat(LONG)), call(1, '{}')] }, 4],
])('shortChunks() splits %s, and the answer stays the same', (_, delta, pieces) => {
  const given = chunk(delta, { finish_reason: 'stop' });
  const chunks = shortChunks(given);
  expect(chunks).toHaveLength(pieces);
  for (const { choices } of chunks) expect(JSON.stringify(choices).isWellFormed()).toBe(true);
  for (const { choices } of chunks) expect(JSON.stringify(choices).length).toBeLessThan(300_000);
  expect(assembled(chunks)).toEqual(assembled([given]));
});

test.each<[string, ChatDelta]>([
  ['a short one', { content: 'word', reasoning_content: 'x' }],
  ['a text with citations, which refer to all of it', { content: 'x'.repeat(LONG), annotations: [] }],
])('shortChunks() leaves %s as it is', (_, delta) => {
  const given = chunk(delta);
  expect(shortChunks(given)).toEqual([given]);
});
