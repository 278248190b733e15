import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { AssistantMessage, Example, Message } from '../../../src/export/conversation/conversation.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import { isObject, listOf } from '../../../src/wire/json.ts';
import { conversation, example, renderOptions } from './arbitrary.ts';
import { written } from './render.ts';

/** Paths of values that JSON would drop or write as null. */
function holes(value: unknown, path = ''): string[] {
  if (value === undefined || value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => holes(item, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => holes(inner, `${path}.${key}`));
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  return isObject(value) ? Object.values(value).flatMap(texts) : [];
}

describe.each(EXPORT_FORMATS)('%s', (name) => {
  const format = FORMATS[name];

  test('renders rows that pass its check, without null, undefined or empty tools', () => {
    let rendered = 0;
    fc.assert(
      fc.property(example, renderOptions, (made, options) => {
        const rows = written(format, made, options);
        if (typeof rows === 'string') return;
        rendered += 1;
        for (const row of rows) {
          expect(format.check(row)).toEqual([]);
          expect(holes(row)).toEqual([]);
          expect(row.tools).not.toEqual([]);
        }
        expect(rows.some((row) => 'metadata' in row)).toBe(format.extras && made.metadata !== undefined);
      }),
      { numRuns: 150 },
    );
    expect(rendered).toBeGreaterThan(5);
  });

  test('renders the same twice', () => {
    fc.assert(
      fc.property(example, renderOptions, (made, options) => {
        expect(written(format, made, options)).toEqual(written(format, structuredClone(made), options));
      }),
      { numRuns: 30 },
    );
  });
});

describe.each(['openai', 'trl', 'trl-pc', 'fireworks', 'together', 'axolotl', 'text'] as const)(
  '%s',
  (name) => {
    test('loses no text of a conversation', () => {
      fc.assert(
        fc.property(example, fc.boolean(), (made, mergeTurns) => {
          const rows = written(FORMATS[name], made, { mergeTurns });
          if (typeof rows === 'string') return;
          const held = texts(rows);
          for (const words of saidIn(made)) expect(held.some((one) => one.includes(words))).toBe(true);
        }),
        { numRuns: 100 },
      );
    });
  },
);

function saidIn({ conversation: { prompt, answer } }: Example): string[] {
  return [...prompt, answer].flatMap((message: Message) => [
    ...(typeof message.content === 'string'
      ? [message.content]
      : message.content.flatMap((part) => (part.type === 'text' ? [part.text] : []))),
    ...((message as AssistantMessage).tool_calls ?? []).map((call) => call.function.name),
  ]);
}

/** Which turns of the assistant are trained, in order. */
function trained(messages: unknown): boolean[] {
  return (listOf(messages) as JsonObject[])
    .filter(({ role }) => role === 'assistant')
    .map(({ weight, train }) => weight !== 0 && train !== false);
}

test.each(['openai', 'fireworks', 'axolotl'] as const)('%s trains the turns that may be trained', (name) => {
  fc.assert(
    fc.property(conversation, (made) => {
      const rows = written(FORMATS[name], { conversation: made });
      if (typeof rows === 'string') return;
      const spoken = [...made.prompt, made.answer].filter((message) => message.role === 'assistant');
      expect(trained(rows[0]!.messages)).toEqual(spoken.map(({ untrained }) => !untrained));
    }),
    { numRuns: 100 },
  );
});

test.each(['together', 'mistral'] as const)(
  '%s trains the answer, and no turn with untrained text',
  (name) => {
    fc.assert(
      fc.property(conversation, (made) => {
        const rows = written(FORMATS[name], { conversation: made });
        if (typeof rows === 'string') return;
        const turns = trained(rows[0]!.messages);
        const may = made.prompt.filter(({ role }) => role === 'assistant') as AssistantMessage[];
        expect(turns.at(-1)).toBe(true);
        expect(turns.filter(Boolean).length).toBeLessThanOrEqual(
          1 + may.filter((one) => !one.untrained).length,
        );
      }),
      { numRuns: 100 },
    );
  },
);

test('mistral replaces every id with a unique short id, for calls and results alike', () => {
  fc.assert(
    fc.property(conversation, (made) => {
      const rows = written(FORMATS.mistral, { conversation: made });
      if (typeof rows === 'string') return;
      const before = idsIn([...made.prompt, made.answer] as unknown as JsonObject[]);
      const after = idsIn(rows[0]!.messages as JsonObject[]);
      expect(after.every((id) => /^[A-Za-z0-9]{9}$/.test(id))).toBe(true);
      expect(after.map((id) => after.indexOf(id))).toEqual(before.map((id) => before.indexOf(id)));
    }),
    { numRuns: 100 },
  );
});

function idsIn(messages: readonly JsonObject[]): string[] {
  return messages.flatMap(({ tool_calls: calls, tool_call_id: id }) => [
    ...(listOf(calls) as JsonObject[]).map((call) => call.id as string),
    ...(id === undefined ? [] : [id as string]),
  ]);
}
