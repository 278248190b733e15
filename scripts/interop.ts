/**
 * `make interop`: exports a small log in every format, and loads each with the programs that will load it for real: HF
 * datasets, TRL, chat templates, mistral_common, google-genai, botocore, DuckDB, polars. Needs Python and, once, PyPI; the
 * results go into docs/export.md.
 * Usage: bun scripts/interop.ts [--keep]   (PYTHON=python of an environment that has all of it already)
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interopLog } from '../test/interop/log.ts';
import { ROOT } from './compile.ts';

const BEGIN = '<!-- interop: written by make interop -->';
const END = '<!-- /interop -->';
const FOLDER = join(ROOT, 'test/interop');
const PAGE = join(ROOT, 'docs/export.md');

/** What is exported: the name of a file or directory, and the flags. */
const EXPORTS: readonly (readonly [output: string, flags: readonly string[]])[] = [
  ...[
    'openai',
    'together',
    'fireworks',
    'mistral',
    'gemini',
    'bedrock',
    'axolotl',
    'sharegpt',
    'alpaca',
    'trl',
    'trl-pc',
    'text',
    'rft',
  ].map(
    (format) =>
      [
        `${format}.jsonl`,
        ['-f', format, ...(format === 'trl' || format === 'trl-pc' ? ['--images', 'drop'] : [])],
      ] as const,
  ),
  ['anthropic.jsonl', ['-f', 'anthropic']],
  ['openai-dpo.jsonl', ['-f', 'openai-dpo']],
  ['trl-dpo.jsonl', ['-f', 'trl-dpo', '--images', 'drop']],
  ['kto.jsonl', ['-f', 'kto', '--images', 'drop']],
  ['dir-plain/', []],
  ['dir-split/', ['--split', 'train=0.7,validation=0.3', '--seed', '3']],
  ['dir-parquet/', ['--parquet']],
  ['dir-zst/', ['--compress', 'zst']],
  ['dir-shards/', ['--shard-size', '4KB']],
];

function run(command: readonly string[], cwd: string): void {
  const child = Bun.spawnSync([...command], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (child.exitCode !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with ${child.exitCode}`);
}

/** The Python to use: the one that is named, or one of our own with all that is needed. */
function python(): string {
  if (process.env.PYTHON !== undefined) return process.env.PYTHON;
  const environment = join(ROOT, 'dist/interop-venv');
  const own = join(environment, 'bin/python');
  if (!existsSync(own)) run(['python3', '-m', 'venv', environment], ROOT);
  run([own, '-m', 'pip', 'install', '--quiet', '-r', join(FOLDER, 'requirements.txt')], ROOT);
  return own;
}

interface Result {
  readonly consumer: string;
  readonly title: string;
  readonly ok: boolean;
  readonly said: string;
}

const interpreter = python();
run([process.execPath, '--no-env-file', 'scripts/build.ts'], ROOT);
const work = mkdtempSync(join(tmpdir(), 'llmproxy-interop-'));
const keep = process.argv.includes('--keep');
try {
  mkdirSync(join(work, 'logs'));
  writeFileSync(join(work, 'logs/llmproxy-2026-11-23.ndjson'), interopLog());
  for (const [output, flags] of EXPORTS)
    run(
      [join(ROOT, 'dist/llmproxy'), 'export', 'logs', '--successful-only', '-q', ...flags, '-o', output],
      work,
    );
  const consumed = Bun.spawnSync([interpreter, join(FOLDER, 'consume.py'), work], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const results = consumed.stdout
    .toString()
    .split('\n')
    .filter((text) => text.startsWith('{"consumer"'))
    .map((text) => JSON.parse(text) as Result);
  const failed = results.filter(({ ok }) => !ok);
  for (const { consumer, title, ok, said } of results)
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${consumer}: ${title}: ${said}\n`);
  if (failed.length > 0 || consumed.exitCode !== 0) {
    process.stderr.write(consumed.stderr.toString().slice(-20_000));
    process.exitCode = 1;
  } else writeResults(results);
} finally {
  if (keep) process.stdout.write(`Kept ${work}\n`);
  else rmSync(work, { recursive: true, force: true });
}

function writeResults(results: readonly Result[]): void {
  const rows = results.map(
    ({ consumer, title, said }) => `| ${consumer} | ${title} | ${said.replaceAll('|', '\\|')} |`,
  );
  const table = ['| Consumer | What | Result |', '|---|---|---|', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END))];
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${table}\n\n${rest}`);
  process.stdout.write(`${results.length} checks passed; written to docs/export.md\n`);
}
