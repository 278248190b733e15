import { expect, test } from 'bun:test';
import { defineCommand, parseArgs } from 'citty';
import type { Command } from '../../../src/cli/argv/command.ts';
import { about, commandOf } from '../../../src/cli/argv/command.ts';
import { parseArguments, repeated } from '../../../src/cli/argv/parse.ts';

const ARGS = {
  files: { type: 'positional', required: false, variadic: true },
  port: { type: 'string', alias: 'p' },
  label: { type: 'string', repeatable: true },
  json: { type: 'boolean', alias: 'j' },
} as const;

const command = (passesOn?: true): Promise<Command> =>
  commandOf(defineCommand({ meta: about({ name: 'try', passesOn }), args: ARGS }) as never, [
    'llmproxy',
    'try',
  ]);

/** The arguments as citty reads them after parsing. */
async function read(...args: string[]): Promise<Record<string, unknown>> {
  const plain = parseArguments(await command(), args).plain;
  const { _, port, json } = parseArgs([...plain], ARGS);
  return { rest: _, port, json, labels: repeated(plain, 'label') };
}

test('all notations of a flag are equivalent', async () => {
  for (const written of [['--port', '1'], ['--port=1'], ['-p', '1'], ['-p1']])
    expect(await read(...written, 'a')).toMatchObject({ port: '1', rest: ['a'] });
  for (const written of [['--json'], ['--json=true'], ['--json=on'], ['-j']])
    expect(await read('a', ...written)).toMatchObject({ json: true, rest: ['a'] });
  for (const written of [['--no-json'], ['--json=false']])
    expect(await read(...written)).toMatchObject({ json: false });
});

test('values are kept as typed', async () => {
  for (const value of ['', '-', '-5', 'a=b', '--json', 'a b', '"x"', '--'])
    expect(await read(`--port=${value}`)).toMatchObject({ port: value, rest: [] });
  expect(await read('--port', '-5')).toMatchObject({ port: '-5' });
  expect(await read('--port', '-')).toMatchObject({ port: '-' });
});

test('the order of arguments is kept', async () => {
  const { plain } = parseArguments(await command(), ['x', '--label', 'a', '-', '-j', '--', '--label']);
  expect(plain).toEqual(['x', '--label=a', '-', '--json=true', '--', '--label']);
});

test('arguments after -- are not flags', async () => {
  expect(await read('a', '--', '--json', '-x')).toMatchObject({
    json: undefined,
    rest: ['a', '--json', '-x'],
  });
});

test('a repeatable flag keeps all its values', async () => {
  expect(await read('--label', 'a', 'x', '--label=b', '--', '--label=c')).toMatchObject({
    labels: ['a', 'b'],
    rest: ['x', '--label=c'],
  });
});

test.each([
  [
    ['--json', 'claude', '-p', 'hi', '--port'],
    ['claude', '-p', 'hi', '--port'],
  ],
  [
    ['claude', '--', '-p', 'hi'],
    ['claude', '-p', 'hi'],
  ],
  [
    ['--port', '1', '--', 'claude', '-p'],
    ['claude', '-p'],
  ],
  [
    ['claude', '-p', '--', 'x'],
    ['claude', '-p', '--', 'x'],
  ],
])('%j passes on another program and all of its arguments', async (args, passed) => {
  expect(parseArguments(await command(true), args).operands).toEqual(passed);
});
