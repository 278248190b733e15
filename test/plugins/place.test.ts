import { describe, expect, test } from 'bun:test';
import { Plugins } from '../../src/plugins/loaded.ts';
import { described } from '../../src/plugins/place.ts';
import { PluginReports } from '../../src/plugins/reports.ts';
import { FakeClock } from '../helpers/clock.ts';

function thrown(message: string, ...frames: string[]): Error {
  const error = new TypeError(message);
  error.stack = [`TypeError: ${message}`, ...frames.map((frame) => `      at ${frame}`)].join('\n');
  return error;
}

describe('described() names', () => {
  test.each<[string, unknown, string]>([
    [
      'the first location outside of this program',
      thrown('no', 'send (/$bunfs/root/x.js:1:2)', 'f (/etc/acme.ts:3:4)'),
      'TypeError: no at /etc/acme.ts:3:4',
    ],
    ['a location without a function', thrown('no', '/etc/acme.ts:3:4'), 'TypeError: no at /etc/acme.ts:3:4'],
    [
      'a location on Windows',
      thrown('no', 'f (C:\\etc\\acme.ts:3:4)'),
      'TypeError: no at C:\\etc\\acme.ts:3:4',
    ],
    ['an error without a location', thrown('no', 'native'), 'TypeError: no'],
    ['a multiline message on one line', thrown('a\n  b'), 'TypeError: a b'],
    ['a string that is thrown', 'just words', 'it threw just words'],
    ['an object that is thrown', { code: 5 }, 'it threw {"code":5}'],
    ['undefined that is thrown', undefined, 'it threw undefined'],
    [
      'the first of several errors',
      new AggregateError([{ message: 'bad', position: { file: '/a.ts', line: 1, column: 2 } }], 'x'),
      'bad at /a.ts:1:2',
    ],
  ])('%s', (_, given, words) => expect(described(given)).toBe(words));

  test('long messages in shortened form', () => {
    expect(described(thrown('x'.repeat(10_000))).length).toBeLessThan(600);
  });
});

test('ownerOf() finds a plugin by its file, or else by its folder', () => {
  const plugin = (name: string, path: string, folder: string) => ({
    name,
    path,
    folder,
    providers: [],
    hooks: undefined,
  });
  const plugins = new Plugins(
    [
      plugin('a', '/etc/a.ts', '/etc'),
      plugin('b', '/etc/b.ts', '/etc'),
      plugin('c', '/opt/link.ts', '/data'),
    ],
    { limitMs: 1, env: {} },
  );
  const owner = (frame: string) => plugins.ownerOf(thrown('no', frame))?.name;
  expect([owner('/etc/b.ts:1:1'), owner('/etc/helper.ts:1:1'), owner('/data/x.ts:1:1')]).toEqual([
    'b',
    'a',
    'c',
  ]);
  expect([owner('/usr/x.ts:1:1'), plugins.ownerOf('text'), plugins.ownerOf(undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('PluginReports reports each problem once a minute, and then how often it occurred', () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const { failed } = new PluginReports((message) => void told.push(message), clock);
  for (let n = 0; n < 4; n += 1) failed('acme', 'Cannot do it', thrown('no', '/etc/acme.ts:1:1'));
  failed('acme', 'Cannot do it', thrown('no', '/etc/acme.ts:2:1'));
  clock.advance(60_000);
  failed('acme', 'Cannot do it', thrown('no', '/etc/acme.ts:1:1'));
  expect(told).toEqual([
    'Plugin acme: Cannot do it: TypeError: no at /etc/acme.ts:1:1',
    'Plugin acme: Cannot do it: TypeError: no at /etc/acme.ts:2:1',
    'Plugin acme: Cannot do it: TypeError: no at /etc/acme.ts:1:1 (and 3 times since it was last reported)',
  ]);
});
