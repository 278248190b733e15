import { describe, expect, test } from 'bun:test';
import { applyOverride } from '../../src/wire/facts/override.ts';
import { parsePath } from '../../src/wire/facts/paths.ts';
import { schema } from '../../src/config/schema.ts';

const BODY = {
  model: 'm',
  reasoning: { effort: 'high', summary: 'auto' },
  messages: [
    { role: 'user', name: 'ann', content: [{ type: 'text', text: 'Hi', cache: 1 }] },
    { role: 'tool', content: 'x' },
    'no object',
  ],
  'a.b': 1,
};

describe('applyOverride()', () => {
  test('drops fields by path, and reports those that existed', () => {
    const drop = [
      'reasoning.summary',
      'messages[].name',
      'messages[].content[].cache',
      'x.y',
      'messages.name',
    ];
    const changed = applyOverride(BODY, { drop: [...drop, String.raw`a\.b`] });
    expect(changed?.dropped).toEqual([...drop.slice(0, 3), String.raw`a\.b`]);
    expect(changed?.body).toEqual({
      model: 'm',
      reasoning: { effort: 'high' },
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'tool', content: 'x' },
        'no object',
      ],
    });
  });

  test('renames fields within objects, between objects, and within each element of a list', () => {
    const rename = {
      'reasoning.effort': 'reasoning_effort',
      'messages[].name': 'messages[].meta.author',
      none: 'x',
    };
    const body = applyOverride(BODY, { rename })!.body;
    expect(body).toMatchObject({ reasoning_effort: 'high', reasoning: { summary: 'auto' } });
    expect((body.messages as unknown[])[0]).toMatchObject({ role: 'user', meta: { author: 'ann' } });
    expect((body.messages as unknown[])[0]).not.toHaveProperty('name');
    expect(body).not.toHaveProperty('x');
  });

  test('sets fields by path, creates missing objects and keeps the other fields', () => {
    const set = { 'reasoning.effort': 'low', 'a.b.c': 1, 'messages[].tag': 't', 'none[].x': 1 };
    const body = applyOverride(BODY, { set })!.body;
    expect(body).toMatchObject({ reasoning: { effort: 'low', summary: 'auto' }, a: { b: { c: 1 } } });
    expect((body.messages as { tag?: string }[]).map(({ tag }) => tag)).toEqual(['t', 't', undefined]);
    expect(body).not.toHaveProperty('none');
    expect(BODY.reasoning.effort).toBe('high');
  });

  test('changes nothing if no path matches', () => {
    expect(applyOverride(BODY, { drop: ['nope', 'reasoning.x.y'], rename: { 'a.c': 'd' } })).toBeUndefined();
  });
});

test.each(['', '.', 'a.', '.a', 'a..b', '[]', '[].a', 'a[', 'a]b', 'a[0].b'])(
  'parsePath() and the configuration refuse %p',
  (path) => {
    expect(parsePath(path)).toBeUndefined();
    const provider = { name: 'p', type: 'openai', request: { drop: [path] } };
    expect(schema.safeParse({ providers: [provider] }).success).toBe(false);
  },
);

test.each(['a', 'a.b', 'a[].b', String.raw`a\.b`, String.raw`a\.`, 'a[].b[].c-d'])(
  'parsePath() and the configuration accept %p',
  (path) => {
    expect(parsePath(path)).toBeDefined();
    const provider = { name: 'p', type: 'openai', request: { drop: [path] } };
    expect(schema.safeParse({ providers: [provider] }).error).toBeUndefined();
  },
);

test.each([
  [{ drop: ['messages[]'] }, /expected a field/],
  [{ set: { 'model.x': 1 } }, /decided elsewhere/],
  [{ rename: { 'messages[].a': 'b' } }, /both must be in the same elements of the same list/],
  [{ rename: { 'a[].x': 'b[].x' } }, /same elements/],
] as const)('the configuration refuses impossible changes: %j', (request, words) => {
  const parsed = schema.safeParse({ providers: [{ name: 'p', type: 'openai', request }] });
  expect(parsed.error?.issues.map(({ message }) => message).join()).toMatch(words);
});
