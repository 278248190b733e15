import { expect, test } from 'bun:test';
import { z } from 'zod';
import { onDemand } from '../../src/config/words.ts';

/** An object with sections that count how often they are built. */
function counting() {
  const built: string[] = [];
  const section = (name: string) =>
    onDemand(() => {
      built.push(name);
      return z.strictObject({ size: z.number().default(1) });
    });
  const schema = z.strictObject({
    plain: section('plain').optional(),
    choice: z
      .union([z.string(), section('choice')])
      .optional()
      .describe('Text, or a section.'),
    shared: z.string().or(section('shared')).prefault('none'),
    list: z.array(section('list')).default([]),
    map: z.record(z.string(), section('map')).default({}),
    whole: section('whole').default({ size: 2 }),
  });
  return { built, schema };
}

test('onDemand() builds a schema for a value, but not for an absent one', () => {
  const { built, schema } = counting();
  const empty = { shared: 'none', list: [], map: {}, whole: { size: 2 } };
  expect([schema.parse({}, { jitless: true }), built]).toEqual([empty, []]);
  expect(schema.parse({ choice: 'text' })).toEqual({ ...empty, choice: 'text' });
  expect(built).toEqual([]);
  expect(schema.parse({ plain: {}, list: [{}, { size: 3 }] })).toEqual({
    ...empty,
    plain: { size: 1 },
    list: [{ size: 1 }, { size: 3 }],
  });
  expect(built).toEqual(['plain', 'list']);
  expect(schema.safeParse({ map: { a: { size: 'x' } } }).error?.issues[0]?.path).toEqual([
    'map',
    'a',
    'size',
  ]);
});
