import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DECISION_COLUMNS, ROW_COLUMNS } from '../../../src/export/stages/columns.ts';

const PAGE = readFileSync(join(import.meta.dir, '../../../docs/stages.md'), 'utf8');

/** The columns of the table after a heading, with their types. */
function tableUnder(heading: string): Record<string, string> {
  const section = PAGE.split(`## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| (`.*?`) \| (\w+) \|/gm)];
  return Object.fromEntries(
    rows.flatMap(([, names = '', type = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, type] as const),
    ),
  );
}

test('docs/stages.md lists all columns with their types', () => {
  expect(tableUnder('Rows from extract to decide')).toEqual({ ...ROW_COLUMNS });
  expect(tableUnder('Decisions from decide to render')).toEqual({ ...DECISION_COLUMNS });
});
