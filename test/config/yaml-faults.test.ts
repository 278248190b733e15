import { expect, test } from 'bun:test';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblems } from '../../src/cli/problems-text.ts';

const MOCK = 'providers:\n  - name: a\n    type: mock\n';

const shown = (text: string) =>
  formatProblems(loadConfig({ path: 'c.yaml', text, env: {} }).problems, { path: 'c.yaml', color: false });

/** The fault in a text, its position, and a part of the message. */
const FAULTS: readonly (readonly [name: string, text: string, place: string, words: string])[] = [
  ['a key twice', `${MOCK}    name: b\n`, '4:5', '`name` is already on line 2'],
  ['a key twice within braces', 'server: { port: 1, port: 2 }\n', '1:20', '`port` is already on line 1'],
  ['a tab', 'providers:\n\t- name: a\n', '2:1', 'a tab indents this line'],
  ['a tab deeper down', 'server:\n  tls:\n\t\tcert: x\n', '3:1', 'a tab indents this line'],
  ['too little indentation', 'providers:\n  - name: a\n   type: mock\n', '3:4', 'begins at column 4'],
  ['an item that goes on without its indent', 'providers:\n  - name: a\n  type: mock\n', '3:3', 'column 5'],
  ['a part of a map further left', 'server:\n  port: 80\n host: x\n', '3:2', 'above it at column 3'],
  ['an item among keys', 'server:\n  port: 1\n  - x\n', '3:1', 'an item of a list is among keys'],
  ['a part of a value', 'server: x\n  port: 1\n', '1:9', 'the line below is indented as if it went on'],
  [
    'an unclosed double quote',
    'server:\n  host: "a\n  port: 1\nauth: none\n',
    '2:9',
    'this quote is never closed',
  ],
  ['an unclosed single quote', "server:\n  host: 'a\n", '2:9', 'this quote is never closed'],
  ['an unclosed bracket', 'models: [a, b\nserver: {}\n', '1:9', '`]` is missing'],
  ['an unclosed brace', 'server: { port: 1\n', '1:9', '`}` is missing'],
  [
    'a bracket closed too far left',
    'server:\n  hosts: [\n  a\n ]\n',
    '2:10',
    'indented further than its key',
  ],
  ['a missing comma', 'server: { port: 1 host: x }\n', '1:17', 'expected a comma'],
  ['a missing colon', 'providers\n  - name: a\n', '1:1', 'the colon of this key is missing'],
  ['a missing space after a colon', 'providers:\n  - name:a\n    type: b\n', '2:9', 'after this colon'],
  ['a missing space after a dash', 'providers:\n  -name: a\n   type: b\n', '2:3', 'after this dash'],
  ['a dash without a space', `${MOCK}-name: x\n`, '4:1', 'a space is missing after the dash'],
  ['a colon in a value', 'server: host: x\n', '1:9', 'must be in quotes'],
  ['text behind a quote', 'server:\n  host: "a" b\n', '2:13', 'one pair of quotes'],
  ['a glob without quotes', `${MOCK}    models: [*]\n`, '4:14', 'put the value into quotes'],
  [
    'a glob that looks like an alias',
    `${MOCK}    models:\n      - *gpt\n`,
    '5:9',
    'a glob must be in quotes',
  ],
  ['two anchors', 'server: &a &b {}\n', '1:12', 'one anchor'],
  ['an unknown tag', `${MOCK}auth: !vault x\n`, '4:7', '`!` begins a tag'],
  ['a value that begins with @', 'server: @x\n', '1:9', 'no value begins with `@`'],
  ['a value that begins with a backtick', 'server: `x`\n', '1:9', 'no value begins with a backtick'],
  ['a Windows path', 'server: "C:\\Users"\n', '1:12', 'double the backslash'],
  ['a list for a key', '[a, b]: 1\n', '1:1', 'a key is a word'],
  ['a second document', `${MOCK}---\nserver: {}\n`, '4:1', 'a second document begins here'],
  ['a directive', '%FOO\n---\nserver: {}\n', '1:1', 'a directive of YAML'],
  ['aliases that grow', bomb(), '1:1', 'its aliases expand to too many values'],
  ['an alias that contains itself', 'a: &a { b: *a }\n', '1:1', 'its aliases expand to too many values'],
  ['an alias as a key', 'a: &a x\nb: { *a : 1 }\n', '2:6', 'a key is a word here'],
  ['a merge of a word', `${MOCK}    <<: b\n`, '4:5', '`<<` takes a map'],
  ['an empty file', '', '1:1', 'the file is empty'],
  ['a file of comments', '# nothing\n', '1:1', 'the file is empty'],
  ['a list', '- a\n', '1:1', 'found a list'],
  ['words', 'hello\n', '1:1', 'found text'],
  ['an env file', 'PORT=1\nHOST=b\n', '1:1', 'found text'],
  ['a TOML file', '[server]\nport = 1\n', '2:1', 'this is not YAML'],
  ['comments of JSON', '{\n // x\n "providers": []\n}\n', '2:2', 'comments begin with #'],
  ['a binary file', '\x7FELF\x02\0\0\0', '1:1', 'a control character (U+007F)'],
  ['zero bytes', 'server:\0\0\0', '1:8', 'this is not a text file'],
  ['UTF-16', Buffer.from('\uFEFFproviders: []\n', 'utf16le').toString('utf8'), '1:1', 'saved as UTF-16'],
  ['Latin-1', Buffer.from('server: { host: \xE9 }\n', 'latin1').toString('utf8'), '1:17', 'not UTF-8'],
  ['an escape', 'server: \x1B[31m\n', '1:9', 'a control character (U+001B)'],
  ['an escape further down', 'server:\n  host: \x1B[31m\n', '2:9', 'a control character (U+001B)'],
  ['Latin-1 further down', 'server:\r\n  host: \uFFFD\r\n', '2:9', 'not UTF-8'],
  ['returns alone', 'providers:\r  - name: a\r', '1:11', 'a carriage return only'],
];

test.each(FAULTS)('%s is explained, at its position', (_, text, place, words) => {
  const [first = '', source = '', caret = ''] = shown(text).split('\n').slice(-3);
  expect(shown(text)).toContain(`c.yaml:${place} error: `);
  expect(shown(text)).toContain(words);
  expect(shown(text)).not.toMatch(/plain value|implicit|flow |scalar|\bmapping/i);
  expect([first, source, caret].every((line) => !/\p{Cc}/u.test(line))).toBe(true);
  expect(caret).toMatch(/^ {6}\| *\^+/);
});

/** Nested lists, each with ten times the same list. */
function bomb(): string {
  const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
  const names = 'abcdefgh';
  return Array.from(names, (name, at) => row(name, at === 0 ? 'x' : `*${names[at - 1]}`)).join('');
}

test('a fault that changes no other value hides none of the problems after it', () => {
  const text = `${MOCK}    models: [*gpt]\n    name: b\nserver:\n  prot: 1\nauth: @x\n---\nmore: 1\n`;
  const places = loadConfig({ path: 'c.yaml', text, env: {} }).problems.map(({ line }) => line);
  expect(places).toEqual([4, 5, 7, 8, 9]);
});

test('what follows an open quote is not reported as further faults', () => {
  expect(loadConfig({ path: 'c.yaml', text: 'a: "x\nb: [1\nc: @\n', env: {} }).problems).toHaveLength(1);
});

test('no message lists more than ten names', () => {
  expect(shown(`${MOCK}zzzzz: 1\n`)).toMatch(/known here: (?:\w+, ){9}\w+ and \d+ more$/);
  expect(shown('providers: [{ name: a, type: zzzzzzzzz }]\n')).toMatch(
    /expected one of .* and \d\d more, found/,
  );
});

test.each([
  ['a byte order mark', `\uFEFF${MOCK}`],
  ['CRLF', MOCK.replaceAll('\n', '\r\n')],
  ['JSON', '{\n\t"providers": [\n\t\t{ "name": "a", "type": "mock" }\n\t]\n}\n'],
  ['an anchor and its alias', 'providers:\n  - &a { name: a, type: mock }\n  - { <<: *a, name: b }\n'],
])('%s is no fault', (_, text) => {
  expect(shown(text)).toBe('');
});

test('positions count neither the byte order mark nor the CR of a line', () => {
  expect(shown('\uFEFFprovidrs: []\r\n')).toContain('c.yaml:1:1 error: unknown key');
  expect(shown('providers: []\r\nprot: 1\r\n')).toContain('    2 | prot: 1\n      | ^^^^');
});

test('only the surroundings of the position are shown of a long line', () => {
  const text = JSON.stringify({
    providers: [{ name: 'a', type: 'mock', models: Array(200).fill('model') }],
    prot: 1,
  });
  const [, source = '', caret = ''] = shown(text).split('\n');
  expect(source.length).toBeLessThan(200);
  expect(source.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('"prot"');
});
