import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Tap } from '../../src/pipeline/streams/tap.ts';
import { atOnce } from '../../src/turns.ts';
import { passingOf } from '../../src/pipeline/streams/passing.ts';

const chunk = (delta: object, finish: string | null = null) =>
  JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: finish }] });
const USAGE = JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } });

const text = fc.string({ minLength: 1 });

/** The events of a complete answer; some servers omit the usage, or the terminator. */
const answer = fc
  .record({ texts: fc.array(text), usage: fc.boolean(), done: fc.boolean() })
  .map(({ texts, usage, done }) => [
    ...texts.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    ...(usage ? [USAGE] : []),
    ...(done ? ['[DONE]'] : []),
  ]);

function tapped(events: readonly string[], maxBytes: number, choices = 1): Tap {
  const tap = new Tap(passingOf('chat'), maxBytes, choices);
  for (const data of events) tap.event({ data }, 'a/m');
  return tap;
}

describe('Tap', () => {
  test('reads the end of an answer, however much of the answer it keeps', () => {
    const end = ({ finish, finished, complete, usage, content, done }: Tap) => {
      return { finish, finished, complete, usage, content, done };
    };
    fc.assert(
      fc.property(answer, fc.nat(1_000), (events, maxBytes) => {
        expect(end(tapped(events, maxBytes))).toEqual(end(tapped(events, Infinity)));
      }),
      { numRuns: 300 },
    );
  });

  test('returns the complete answer if it fits into the bound, and otherwise none', () => {
    fc.assert(
      fc.property(answer, fc.nat(1_000), (events, maxBytes) => {
        const bytes = events.filter((data) => data !== '[DONE]').join('').length;
        const [all, few] = [tapped(events, Infinity), tapped(events, maxBytes)];
        expect(atOnce(few.assembled())).toBe(bytes > maxBytes ? undefined : atOnce(all.assembled()));
      }),
    );
  });

  test.each([Infinity, 20])(
    'reports an end without a finish reason within a call as truncated, keeping %p bytes',
    (maxBytes) => {
      const call = (text: string) =>
        chunk({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: text } }] });
      const cut = tapped([call('{"city":"'), call('Berlin and so on'), '[DONE]'], maxBytes);
      expect([cut.done, cut.error?.fault]).toEqual([false, 'truncated']);
      const whole = tapped([call('{"city":1}'), '[DONE]'], maxBytes);
      expect([whole.done, whole.error]).toEqual([true, undefined]);
    },
  );

  test('withholds an event that ends in failure from the client, but counts its usage', () => {
    const tap = tapped([chunk({ content: 'a' })], Infinity);
    const used = {
      choices: [{ index: 0, delta: { content: 'b' }, finish_reason: 'error' }],
      ...JSON.parse(USAGE),
    };
    expect(
      tap.event(
        { data: JSON.stringify({ ...used, choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }) },
        'a/m',
      ),
    ).toBe(false);
    expect([tap.error?.fault, tap.finish, tap.usage?.output]).toEqual(['server', 'error', 4]);
    expect(tap.event({ data: chunk({ content: 'c' }) }, 'a/m')).toBe(false);
  });

  test('returns no text to continue when several choices were requested', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), fc.integer({ min: 2, max: 8 }), (texts, choices) => {
        const events = texts.map((content) => chunk({ content }));
        expect(tapped(events, Infinity, choices).begun()).toBeUndefined();
      }),
    );
  });
});
