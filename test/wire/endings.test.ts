/** The finish reasons of every provider, and what they mean. */
import { describe, expect, test } from 'bun:test';
import type { ProtocolName } from '../../src/wire/protocol.ts';
import { FAULTS } from '../../src/faults.ts';
import { ENDINGS, endingError, endingOf, fails, isImproper } from '../../src/wire/endings.ts';

const PROTOCOLS = Object.keys(ENDINGS) as ProtocolName[];
const PROPER = ['stop', 'length', 'content_filter', 'tool_calls'];

describe.each(PROTOCOLS)('every finish reason of %s', (protocol) => {
  test.each(Object.entries(ENDINGS[protocol]))('%s means %s', (word, meaning) => {
    const ending = endingOf(protocol, word);
    if (PROPER.includes(meaning)) {
      expect(ending).toEqual({ finish: meaning });
      expect(endingError(ending, 'a/m')).toBeUndefined();
      return;
    }
    expect(ending as object).toEqual({ finish: word, fault: meaning });
    expect(fails(ending)).toBe(true);
    const error = endingError(ending, 'a/m')!;
    expect([error.fault as string, error.target]).toEqual([meaning, 'a/m']);
    expect(error.message).toContain(word);
    expect(FAULTS[error.fault].failover).toBe('yes');
  });

  test('maps to itself or to one in the chat protocol that means the same', () => {
    for (const word of Object.keys(ENDINGS[protocol])) {
      const ending = endingOf(protocol, word)!;
      expect(endingOf('chat', ending.finish)).toEqual(ending);
      expect(isImproper(ending.finish)).toBe(ending.fault !== undefined);
    }
  });
});

test('endingOf() ignores case and dashes, and accepts finish reasons of other protocols', () => {
  expect(endingOf('chat', 'MAX_TOKENS')).toEqual({ finish: 'length' });
  expect(endingOf('chat', 'content-filter')).toEqual({ finish: 'content_filter' });
  expect(endingOf('messages', 'stop')).toEqual({ finish: 'stop' });
  expect(endingOf('chat', 'malformed_function_call')?.fault).toBe('failed_generation');
  expect(endingOf('gemini', 2)).toEqual({ finish: 'length' });
});

test.each(['repetition', 'repetition_truncation'])(
  'endingOf() treats %s as cut off: the server stopped a model that repeated itself',
  (word) => {
    expect(endingOf('chat', word)).toEqual({ finish: 'length' });
  },
);

test.each([undefined, null, '', 'null', 'FINISH_REASON_UNSPECIFIED', 0, {}, true])(
  'endingOf() treats %p as no finish reason',
  (word) => {
    expect(endingOf('chat', word)).toBeUndefined();
  },
);

test.each(['brand_new', 'constructor', '__proto__', 'toString'])(
  'endingOf() reports %s as unknown, which neither retries nor fails over',
  (word) => {
    const ending = endingOf('chat', word);
    expect(ending).toEqual({ finish: word, fault: 'unknown_ending' });
    expect(fails(ending)).toBe(false);
    expect(isImproper(word)).toBe(true);
    expect(endingError(ending, 'a/m')?.rule).toMatchObject({
      retry: 'never',
      failover: 'no',
      health: 'none',
    });
  },
);

test('endingOf() shortens a very long finish reason', () => {
  expect(endingOf('chat', 'x'.repeat(10_000))?.finish).toHaveLength(100);
});
