import { describe, expect, test } from 'bun:test';
import { entryOf } from '../../../src/export/read/entry.ts';
import type { Filter } from '../../../src/export/errors.ts';
import type { Selection } from '../../../src/export/read/selection.ts';
import { compileSelection, fieldText } from '../../../src/export/read/selection.ts';
import { compileWhere } from '../../../src/export/read/where.ts';
import { chat, line, user } from '../records.ts';
import type { Exchange } from '../records.ts';

/** The decision by the head of a line alone, and by the parsed record. */
function verdicts(
  selection: Partial<Selection>,
  exchange: Exchange = {},
): [Filter | undefined, Filter | undefined] {
  const wanted = compileSelection(
    { successfulOnly: false, ...selection },
    selection.where === undefined ? undefined : compileWhere(selection.where),
  );
  const text = line(exchange);
  const record = JSON.parse(text);
  const block = Buffer.from(`x\n${text}`);
  return [wanted.over?.(block)(2, block.length - 1), wanted.entry(entryOf(record)!, record)];
}

const both = (filter: Filter | undefined) => [filter, filter] as ReturnType<typeof verdicts>;
const onlyParsed = (filter: Filter) => [undefined, filter] as ReturnType<typeof verdicts>;

describe('compileSelection() with successfulOnly', () => {
  test.each([
    [{}, undefined],
    [{ finish: 'tool_calls' }, undefined],
    [{ finish: 'END_TURN' }, undefined],
    [{ status: 206 }, undefined],
    [{ endpoint: 'embeddings', finish: null }, undefined],
    [{ outcome: 'truncated' }, 'unsuccessful'],
    [{ outcome: 'client_abort', status: 499 }, 'unsuccessful'],
    [{ outcome: 'error' }, 'unsuccessful'],
    [{ status: 302 }, 'unsuccessful'],
    [{ finish: 'length' }, 'unfinished'],
    [{ finish: 'content_filter' }, 'unfinished'],
    [{ finish: null }, 'unfinished'],
  ] as [Exchange, Filter | undefined][])('decides on a record with %p: %p', (change, reason) => {
    expect(verdicts({ successfulOnly: true }, change)).toEqual(both(reason));
    expect(verdicts({}, change)).toEqual(both(undefined));
  });

  test('leaves out resumed answers, unless they are included', () => {
    const parts = [{ target: 'a/b', fault: 'timeout', input_tokens: 1, output_tokens: 1 }];
    expect(verdicts({ successfulOnly: true }, { parts })).toEqual(onlyParsed('resumed'));
    expect(verdicts({ successfulOnly: true, resumed: 'include' }, { parts })).toEqual(both(undefined));
  });
});

describe('compileSelection()', () => {
  const tagged: Exchange = { request: chat([user('Hi')], { user: 'u1', metadata: { team: 'search' } }) };
  test.each([
    [{ modelFilter: 'GPT-4' }, {}, both(undefined)],
    [{ modelFilter: 'claude' }, {}, both('model')],
    [{ models: ['gpt-4*'] }, {}, both(undefined)],
    [{ models: ['gpt-4'] }, {}, both('model')],
    [{ models: ['*'] }, { model: 'openai/gpt-4o' }, both(undefined)],
    [{ models: ['openai/*', 'x'] }, { model: 'openai/a/b' }, both(undefined)],
    [{ models: ['größe*'] }, { model: 'größer' }, both(undefined)],
    [{ models: ['x*'] }, { model: 'größer' }, onlyParsed('model')],
    [{ providers: ['lo*'] }, {}, both(undefined)],
    [{ providers: ['x'] }, {}, both('provider')],
    [{ providers: ['*'] }, { provider: null }, both('provider')],
    [{ endpoints: ['chat', 'messages'] }, {}, both(undefined)],
    [{ endpoints: ['messages'] }, {}, both('endpoint')],
    [{ endpoints: ['c*'] }, {}, both(undefined)],
    [{ keys: ['te?m'] }, {}, both(undefined)],
    [{ keys: ['other'] }, {}, both('key')],
    [{ users: ['u1'] }, tagged, both(undefined)],
    [{ users: ['u2'] }, tagged, onlyParsed('user')],
    [{ tags: [['team', 'sea*']] }, tagged, both(undefined)],
    [{ tags: [['team', 'x']] }, tagged, onlyParsed('tag')],
    [{ tags: [['toString', '*']] }, tagged, onlyParsed('tag')],
    [{ statuses: [[200, 299]] }, {}, both(undefined)],
    [
      {
        statuses: [
          [200, 200],
          [500, 599],
        ],
      },
      { status: 503 },
      both(undefined),
    ],
    [{ statuses: [[201, 201]] }, {}, both('status')],
    [{ finishReasons: ['stop'] }, {}, both(undefined)],
    [{ finishReasons: ['length'] }, { finish: null }, both('finish_reason')],
    [{ minTokens: 8 }, {}, both(undefined)],
    [{ minTokens: 9 }, {}, both('tokens')],
    [{ minTokens: 0 }, { input_tokens: null }, both('tokens')],
    [{ maxLatencyMs: 12.5 }, {}, both(undefined)],
    [{ maxLatencyMs: 12 }, {}, both('latency')],
    [{ where: 'latency_ms < 13.0 && model.startsWith("gpt")' }, {}, both(undefined)],
    [{ where: 'cost > 1.0' }, {}, both('where')],
    [{ where: 'request.temperature == 0.5' }, {}, onlyParsed('where')],
  ] as [Partial<Selection>, Exchange, ReturnType<typeof verdicts>][])(
    'applies %j to %j',
    (selection, exchange, expected) => {
      expect(verdicts(selection, exchange)).toEqual(expected);
    },
  );

  test('includes both ends of a time range, and excludes times that cannot be read', () => {
    const span = { fromMs: Date.UTC(2026, 10, 23), untilMs: Date.UTC(2026, 10, 24) - 1 };
    const at = (ts: string) => verdicts(span, { ts })[1];
    expect(at('2026-11-23T00:00:00.000Z')).toBeUndefined();
    expect(at('2026-11-23T23:59:59.999999Z')).toBeUndefined();
    expect(at('2026-11-24T00:30:00+01:00')).toBeUndefined();
    expect(at('2026-11-22T23:59:59.999Z')).toBe('date');
    expect(at('2026-11-24T00:00:00Z')).toBe('date');
    expect(at('yesterday')).toBe('date');
  });
});

test('fieldText() reads fields by dotted paths, and no inherited ones', () => {
  const record = { model: 'a', tags: { team: 'b' }, n: 3, none: null };
  expect(
    ['model', 'tags.team', 'n', 'none', 'tags.x.y', 'toString'].map((path) => fieldText(record, path)),
  ).toEqual(['a', 'b', '3', '', '', '']);
});
