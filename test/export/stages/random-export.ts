/** Random logs and flags, for exports that are run in two ways and compared. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Random } from './logs.ts';
import { logLines } from './logs.ts';

const FORMATS = [
  'trl',
  'trl-pc',
  'openai',
  'sharegpt',
  'alpaca',
  'axolotl',
  'trl-dpo',
  'openai-dpo',
  'kto',
  'rft',
  'text',
  'mistral',
  'raw',
];
const SOME: readonly string[][] = [
  ['--successful-only'],
  ['--dedup', 'prompt'],
  ['--dedup', 'none'],
  ['--near-dup', '0.8'],
  ['--conversations', 'turns'],
  ['--conversations', 'collapse'],
  ['--unlogged-turns', 'keep'],
  ['--unlogged-turns', 'drop'],
  ['--corrections'],
  ['--min-score', '0.2'],
  ['--metadata', 'full'],
  ['--metadata', 'min'],
  ['--split', 'train=0.7,validation=0.3'],
  ['--split', 'train=0.7,validation=0.3', '--near-dup', 'none'],
  ['--split', 'a=0.5,b=0.3,c=0.2', '--split-by', 'prompt'],
  ['--sample', '20'],
  ['--sample', '50%'],
  ['--balance', 'model', '--per-group', '10'],
  ['--last', '20'],
  ['--max-records', '15'],
  ['--redact', 'email,phone'],
  ['--reasoning', 'inline'],
  ['--system', 'drop'],
  ['--max-tokens', '120', '--on-long', 'trim-oldest'],
  ['--pairs', 'regenerations'],
  ['--pairs', 'feedback'],
  ['--compress', 'gz'],
  ['--compress', 'zst'],
  ['--seed', '7'],
  ['--model', 'gpt-*'],
  ['--merge-turns'],
  ['--branches', 'longest'],
  ['--redact', 'all'],
];

/** Flags that are often valid together. */
export function flagsOf({ pick, below }: Random): string[] {
  const flags = ['-f', pick(FORMATS)];
  const seen = new Set<string>();
  for (let more = below(4); more > 0; more--) {
    const some = pick(SOME);
    if (some.some((flag) => flag.startsWith('--') && seen.has(flag))) continue;
    for (const flag of some) seen.add(flag);
    flags.push(...some);
  }
  return flags;
}

/** The files of a log: some compressed, and one without its last line end. */
export function writeLogs(directory: string, seed: number, { chance, below }: Random): void {
  mkdirSync(directory);
  const files = 1 + below(3);
  const sideBySide = chance(0.15);
  for (let file = 0; file < files; file++) {
    const lines = logLines(seed * 10 + file, 40 + below(120), file === 0 || chance(0.5) ? '' : `x${file}`);
    const text = `${lines.join('\n')}${chance(0.8) ? '\n' : ''}`;
    const name = sideBySide ? `llmproxy-2026-11-20.w${file + 1}.ndjson` : `llmproxy-2026-11-2${file}.ndjson`;
    if (chance(0.7)) writeFileSync(`${directory}/${name}`, text);
    else if (chance(0.5)) writeFileSync(`${directory}/${name}.gz`, gzipSync(text));
    else writeFileSync(`${directory}/${name}.zst`, zstdCompressSync(text));
  }
}
