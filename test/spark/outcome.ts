import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Report } from '../../src/export/report/report.ts';
import { comparable } from '../export/stages/engine.ts';

/** The result of an export, independent of how it was run: the counts, and the rows of each split. */
export function outcomeIn(directory: string): {
  readonly report: object;
  readonly rows: Readonly<Record<string, string>>;
} {
  const report = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Report;
  const rows: Record<string, string> = {};
  for (const { split, path } of report.outputs)
    rows[split] = (rows[split] ?? '') + textIn(join(directory, path));
  // With several workers, the rows of stages are in the order of the files.
  if (!report.inputs.some(({ name }) => name.includes('.w2.'))) return { report: comparable(report), rows };
  const sorted = (text: string) => text.split('\n').toSorted().join('\n');
  const inAnyOrder = Object.entries(rows).map(([split, text]) => [split, sorted(text)]);
  return {
    report: { ...comparable(report), dropped: undefined },
    rows: Object.fromEntries(inAnyOrder) as typeof rows,
  };
}

function textIn(path: string): string {
  const bytes = readFileSync(path);
  if (path.endsWith('.gz')) return gunzipSync(bytes).toString();
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes).toString();
  return bytes.toString();
}
