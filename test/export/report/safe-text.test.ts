/** The content of a log must not control a terminal or a page. */
import { expect, test } from 'bun:test';
import { previewPage } from '../../../src/export/preview/page.ts';
import { previewText } from '../../../src/export/preview/text.ts';
import { piecesOf, safeLine, safeText } from '../../../src/export/report/safe-text.ts';
import { statsText } from '../../../src/export/report/summary.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

const HOSTILE = [
  '\x1b[2J\x1b]8;;http://x\x07',
  '\x9b31m',
  'a\rb\x00',
  '\u202eevil',
  '\u2066x\u2069',
  'one\ntwo\u2028three',
  '\ud83d',
  '漢'.repeat(100),
];
const CONTROLS = /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

test.each(HOSTILE)('--stats shows %j on one line of 80 columns', async (text) => {
  const log = line({
    model: `m${text}`,
    provider: `p${text}`,
    key: `k${text}`,
    tags: { [text]: text },
    finish: text,
  });
  await using shop = await workshop({ 'a.ndjson': log });
  const { report } = await shop.run('--stats');
  const stats = statsText(report);
  expect(stats).not.toMatch(CONTROLS);
  const lines = stats.trimEnd().split('\n');
  expect(lines.filter((one) => / {2}(?:model|provider|key|tag|finish) /.test(one))).toHaveLength(5);
  expect(lines.filter((one) => Bun.stringWidth(one) > 80)).toEqual([]);
});

test.each(HOSTILE)('a preview of %j contains only its own colours, and keeps its width', async (text) => {
  const request = chat([user(text)], { tools: [tool(`f${text}`)] });
  const response = answered({ content: text, tool_calls: [call('c', `f${text}`, { [text]: text })] });
  await using shop = await workshop({ 'a.ndjson': line({ request, response }) });
  await shop.run('-f openai');
  const rows = shop.rows();
  const shown = previewText(rows, 'per_turn', { color: false, width: 80 });
  expect(shown).not.toMatch(CONTROLS);
  expect(shown.split('\n').filter((one) => !one.startsWith('Row') && Bun.stringWidth(one) > 80)).toEqual([]);
  expect(shown.split('\n').filter((one) => one.startsWith('Row'))).toHaveLength(1);
  expect(previewPage(rows, 'per_turn', { kept: 1, format: 'openai' })).not.toMatch(CONTROLS);
});

test('safeText() keeps lines, and safeLine() returns one', () => {
  expect(safeText('a\r\n\tb\u2028c')).toBe('a\n    b\nc');
  expect(safeText('שלום!\u200f')).toBe('שלום!\u200f');
  expect(safeLine('a \n b\n')).toBe('a b ');
  const spaces = ' '.repeat(1_000_000);
  expect(safeLine(`a${spaces}b`, 5)).toBe('a ...');
  expect(safeLine('abcdefgh', 6)).toBe('abc...');
  expect(safeLine('漢漢漢', 6)).toBe('漢漢漢');
});

test('piecesOf() counts columns, and splits no character', () => {
  const family = '👨‍👩‍👧‍👦';
  expect(piecesOf('漢字かな', 4)).toEqual(['漢字', 'かな']);
  expect(piecesOf(`a${family}b`, 3)).toEqual([`a${family}`, 'b']);
  expect(piecesOf('e\u0301e\u0301', 1)).toEqual(['e\u0301', 'e\u0301']);
});
