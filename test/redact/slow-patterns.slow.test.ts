import { expect, test } from 'bun:test';
import { redactRequest } from '../../src/redact/outward/redact-request.ts';

const RULE = { kinds: [], restore: false, media: 'refuse', timeout: 60_000 } as const;
const patterns = [{ name: 'slow', pattern: '^(?:a|a)*b' }];

const countsOf = (input: string) =>
  redactRequest(new TextEncoder().encode(JSON.stringify({ input })), { ...RULE, patterns }).counts;

test('redactRequest() rejects a request if a pattern takes too long on its text', () => {
  expect(() => countsOf('a'.repeat(40))).toThrow('The pattern slow takes too long');
  expect(countsOf('aaab')).toEqual({ slow: 1 });
});
