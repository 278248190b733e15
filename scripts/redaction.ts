/**
 * `make redaction`: measures how much of the personal data and secrets `--redact` finds, and what it hides by mistake.
 * Writes the table in docs/export.md. `--check` only reports whether the table is stale; `--show KIND` prints the
 * missed and the false matches.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VENDORS } from '../test/redact/corpus/keys.ts';
import type { Measured } from '../test/redact/corpus/measure.ts';
import { measure, negativeLines } from '../test/redact/corpus/measure.ts';

const PATH = join(import.meta.dir, '../docs/export.md');
const SHOWN = 40;

function percent(part: number, whole: number): string {
  const value = (100 * part) / whole;
  // 100 % is written only if nothing was missed.
  return `${part < whole ? Math.min(99.9, Math.floor(value * 10) / 10).toFixed(1) : '100'} %`;
}

function table(measured: readonly Measured[]): string {
  const rows = measured.map(({ kind, cases, missed, false: wrong }) => {
    const found = cases.length - missed.length;
    const groups = new Set(cases.map(({ group }) => group)).size;
    const cells = [`\`${kind}\``, cases.length, groups, percent(found, cases.length), wrong.length];
    return `| ${[...cells, percent(found, found + wrong.length)].join(' | ')} |`;
  });
  const lines = negativeLines().length;
  return [
    `| Kind | Cases | Groups | Hidden | False hits in ${lines} lines | Precision |`,
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `The keys are those of ${VENDORS} vendors and services, with and without a prefix.`,
  ].join('\n');
}

const measured = measure();
const shown = process.argv[process.argv.indexOf('--show') + 1];
if (process.argv.includes('--show')) {
  const of = measured.find(({ kind }) => kind === shown);
  if (!of)
    throw new Error(
      `Cannot show ${shown ?? 'nothing'}: expected ${measured.map(({ kind }) => kind).join(', ')}`,
    );
  for (const { group, secret, text } of of.missed.slice(0, SHOWN))
    process.stdout.write(
      `missed  ${group}: ${JSON.stringify(secret).slice(0, 100)} in ${JSON.stringify(text).slice(0, 160)}\n`,
    );
  for (const line of of.false.slice(0, SHOWN)) process.stdout.write(`false   ${JSON.stringify(line)}\n`);
}

const made = table(measured);
const before = readFileSync(PATH, 'utf8');
const block = /(<!-- redaction: [^>]*-->\n)[^]*?(\n<!-- \/redaction -->)/;
if (!block.test(before)) throw new Error('Cannot find the block "redaction" in docs/export.md');
const after = before.replace(block, (_, open: string, close: string) => `${open}\n${made}\n${close}`);
if (process.argv.includes('--check')) {
  if (after !== before) process.stderr.write('docs/export.md is stale: run make redaction\n');
  process.exitCode = after === before ? 0 : 1;
} else {
  process.stdout.write(`${made}\n`);
  if (after !== before) writeFileSync(PATH, after);
}
