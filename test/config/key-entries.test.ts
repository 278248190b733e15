import { expect, test } from 'bun:test';
import { parseDocument } from 'yaml';
import { KeysDocument } from '../../src/cli/keys/document.ts';
import { keysFile } from '../../src/config/schema/auth.ts';
import { keysFromEntries } from '../../src/config/key-entries.ts';

const hash = (digit: number) => `sha256:${String(digit).repeat(64)}`;

/** The result of the parser that keeps positions. */
function whole(text: string) {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  return document.errors.length > 0 ? undefined : keysFile.safeParse(document.toJS() ?? {}).data;
}

/** A file as `llmproxy keys` writes it. */
function written(count: number): string {
  const document = new KeysDocument(undefined);
  for (let index = 0; index < count; index += 1)
    document.addKey({
      name: `key${index}`,
      hash: hash(index),
      created: '2026-11-01T00:00:00Z',
      models: ['gpt-*', '{o3,o4}*'],
      limits: [{ budget: 5, per: 'month' }, { concurrent: 2 }],
      labels: { team: 'search' },
    });
  document.addRaise({ key: 'key1', kind: 'budget', by: 5, until: '2026-12-01' });
  return document.toString();
}

test('keysFromEntries() reads what `llmproxy keys` writes, and makes only changed entries anew', () => {
  const text = written(5);
  const first = keysFromEntries(text);
  expect(first).toEqual(whole(text)!);
  const changed = text.replace('name: key3', 'name: other');
  const second = keysFromEntries(changed);
  expect(second).toEqual(whole(changed)!);
  const kept = second!.keys.map((key, index) => key === first!.keys[index]);
  expect(kept).toEqual([true, true, true, false, true]);
  expect(second!.raises[0]).toBe(first!.raises[0]!);
});

const ENTRY = `  - name: a\n    hash: ${hash(1)}\n`;

test.each([
  [
    'comments and empty lines',
    `# top\nkeys: # here\n\n  # one\n${ENTRY}    # of a\n\n  - name: b\n    hash: ${hash(2)}\nraises: []\n`,
  ],
  ['CRLF', `keys:\n${ENTRY}`.replaceAll('\n', '\r\n')],
  [
    'lists and maps of several lines',
    `keys:\n${ENTRY}    models:\n      - gpt-*\n    labels:\n      team: x\n`,
  ],
  [
    'texts of several lines',
    `keys:\n${ENTRY}    labels:\n      x: >-\n        # no comment\n\n        y\n      z: "a\n\n        b"\n`,
  ],
  ['empty lists', 'keys: []\nraises: []\n'],
])('keysFromEntries() reads %s as the other parser does', (_, text) => {
  expect(whole(text)).toBeDefined();
  expect(keysFromEntries(text)).toEqual(whole(text)!);
});

test.each([
  ['braces', `keys: [{ name: a, hash: "${hash(1)}" }]\n`],
  ['dashes at the margin', `keys:\n- name: a\n  hash: ${hash(1)}\n`],
  ['anchors', `keys:\n  - &a { name: a, hash: "${hash(1)}" }\n  - *a\n`],
  ['merges', `keys:\n${ENTRY}  - <<: { hash: "${hash(2)}" }\n    name: b\n`],
  ['a key twice in an entry', `keys:\n${ENTRY}    name: b\n`],
  ['a list twice', `keys:\n${ENTRY}keys:\n${ENTRY}`],
  ['a list without entries', 'keys:\nraises:\n'],
  ['another list', `keys:\n${ENTRY}other: []\n`],
  ['a second document', `keys:\n${ENTRY}---\nkeys: []\n`],
  ['what is no key', 'keys:\n  - name: a\n'],
  ['an entry that is indented less', `keys:\n  - name: a\n   hash: ${hash(1)}\n`],
  ['an empty file', ''],
])('keysFromEntries() leaves %s to the other parser', (_, text) => {
  expect(keysFromEntries(text)).toBeUndefined();
});
