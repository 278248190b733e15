import { expect, test } from 'bun:test';
import { parseDocument } from 'yaml';
import { KeysDocument } from '../../src/cli/keys/document.ts';
import { plainYaml } from '../../src/config/plain-yaml.ts';

/** Texts that YAML parsers read differently. */
const SCALARS =
  '2026-11-01 yes on Off n 0x1F 0o17 017 0b11 1_000 1e3 12e03 .inf -.inf .nan ~ null Null +12 1. .5 1.0 True 12:30:45 190:20:30 9007199254740993 -0 00 0.1e+2 "\\u00e9" \'it\'\'s\' !!str 1,000 = a:b a#b "a: b" a@b -'.split(
    ' ',
  );
const TEXTS = [
  ...SCALARS.map((scalar) => `a: ${scalar}\n`),
  ...SCALARS.map((scalar) => `- [${scalar}, { b: ${scalar} }]\n`),
  'a: 1\na: 2\n',
  'a: { b: 1, b: 2 }\n',
  'a: { "b":1,"b":2 }\n',
  'a: { b, b: 1 }\n',
  '? a\n: 1\n? a\n: 2\n',
  'a: &x { b: 1 }\nc: *x\n',
  'a: &x { b: 1 }\nc: { <<: *x, b: 2 }\n',
  'a: >\n  x: 1\n  y\nb: |-\n  # z: 1\n',
  'a: 1 # b: 2\na: 2\n',
  'a: "# b: 2"\n# a: 3\n',
  '%YAML 1.1\n---\na: yes\n',
  '--- a\n--- b\n',
  'a: 1\n...\nb: 2\n',
  '__proto__: 1\na: { __proto__: { x: 1 } }\n',
  '1: 2\ntrue: 1\n',
  '\uFEFFa: 1\n',
  'a:\r\n  b: 1\r\n',
  'a: [1,\n',
  '',
];

test.each(TEXTS)('plainYaml() reads %j as the other parser does, or not at all', (text) => {
  const plain = plainYaml(text);
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  if (plain === undefined) return;
  expect(document.errors).toEqual([]);
  expect(plain.value).toEqual(document.toJS());
});

test('plainYaml() reads what `llmproxy keys` writes', () => {
  const document = new KeysDocument(undefined);
  const hash = `sha256:${'0'.repeat(64)}`;
  document.addKey({
    name: 'a',
    hash,
    created: '2026-11-01T00:00:00Z',
    models: ['{gpt,o3}-*', 'fast'],
    labels: { team: 'x' },
  });
  document.addKey({ name: 'b', hash, limits: [{ budget: 5, per: 'month' }], expires: '2027-01-01' });
  document.addRaise({ key: 'a', kind: 'budget', by: 5, until: '2026-12-01' });
  expect(plainYaml(document.toString())).toBeDefined();
});
