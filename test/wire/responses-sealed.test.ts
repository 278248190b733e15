import { expect, test } from 'bun:test';
import { seal, unseal } from '../../src/wire/responses/sealed.ts';

const block = (length: number) => ({
  type: 'thinking',
  thinking: 'Schöne Grüße, 日本 😀. '.repeat(length / 20),
  signature: 'c2ln',
});
const item = (content: string) => ({ type: 'reasoning', encrypted_content: content });

/** The shortest CPU time of several runs, in milliseconds. */
function costMs(work: () => void): number {
  const tries = Array.from({ length: 4 }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...tries);
}

test('a sealed block of megabytes costs about as much as its JSON', () => {
  const given = block(1_000_000);
  const jsonMs = costMs(() => void JSON.parse(JSON.stringify(given)));
  const sealMs = costMs(() => expect(unseal(item(seal(given)))).toEqual(given as never));
  expect(sealMs).toBeLessThan(15 * Math.max(jsonMs, 2));
});

test.each([
  ['a truncated one', seal(block(200)).slice(0, -9)],
  ['one that is not Base64', 'llmproxy.{}'],
  ['one that is not UTF-8', `llmproxy.${Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64')}`],
  ['a text', `llmproxy.${Buffer.from('"text"').toString('base64')}`],
])('unseal() ignores %s', (_, content) => expect(unseal(item(content))).toBeUndefined());
