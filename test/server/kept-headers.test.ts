import { expect, test } from 'bun:test';
import { KeptHeaders } from '../../src/server/kept-headers.ts';

const sent = (headers: Headers) => new Response('', { headers }).headers.toJSON();

test('KeptHeaders gives each response its own headers, whichever others had the same names', () => {
  const kept = new KeptHeaders();
  const wanted: Record<string, string>[] = [
    { 'content-type': 'application/json', 'x-request-id': '1', 'x-llmproxy-cost': '0.1' },
    { 'content-type': 'application/json', 'x-request-id': '2', 'x-llmproxy-cost': '0.1' },
    { 'content-type': 'text/plain', 'x-request-id': '2' },
    { 'x-request-id': '3', 'content-type': 'application/json' },
    { 'content-type': 'application/json', 'x-request-id': '4', 'x-llmproxy-cost': '' },
    {},
    { 'content-type': 'application/json', 'x-request-id': '1', 'x-llmproxy-cost': '0.1' },
  ];
  for (const each of [...wanted, ...wanted]) expect(sent(kept.of(each))).toEqual(each);
});

test('KeptHeaders changes no response that has them already', () => {
  const kept = new KeptHeaders();
  const first = new Response('', { headers: kept.of({ 'x-request-id': '1' }) });
  kept.of({ 'x-request-id': '2' });
  expect(first.headers.get('x-request-id')).toBe('1');
});

test('KeptHeaders recovers from a value that no header can have', () => {
  const kept = new KeptHeaders();
  const wanted = (value: string) => ({ 'x-a': value, 'x-b': value });
  for (const value of ['1', '2']) {
    expect(sent(kept.of(wanted(value)))).toEqual(wanted(value));
    expect(() => kept.of({ 'x-a': '3', 'x-b': 'line\nbreak' })).toThrow(TypeError);
  }
  expect(sent(kept.of(wanted('2')))).toEqual(wanted('2'));
});

test('KeptHeaders works with more names than it keeps', () => {
  const kept = new KeptHeaders();
  for (let n = 0; n < 2_000; n += 1) {
    const wanted = { 'x-request-id': String(n), [`x-ratelimit-${n}`]: 'a', 'x-last': String(n % 3) };
    expect(sent(kept.of(wanted))).toEqual(wanted);
  }
});
