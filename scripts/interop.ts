/**
 * `make interop`: exports a small log and one of odd conversations in every format, and loads each with the programs
 * that users load them with: HF datasets, TRL, chat templates, mistral_common, google-genai, botocore, DuckDB, polars;
 * Together's file check, LLaMA-Factory and axolotl. Needs Python, 20 GB and, once, PyPI; the results of a full run go
 * into docs/export.md.
 * Usage: bun scripts/interop.ts [--keep] [CONSUMER...]   (folders of test/interop; all of them by default)
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interopLog } from '../test/interop/log.ts';
import { oddLog } from '../test/interop/odd.ts';
import { ROOT } from './compile.ts';

const BEGIN = '<!-- interop: written by make interop -->';
const END = '<!-- /interop -->';
const FOLDER = join(ROOT, 'test/interop');
/** Each has its own environment, since their requirements conflict. */
const CONSUMERS = ['libraries', 'together', 'llama-factory', 'axolotl'] as const;
const BINARY = join(ROOT, 'dist/llmproxy');
const PAGE = join(ROOT, 'docs/export.md');

/** The exports: the name of a file or directory, and the flags. */
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
  ['trl-thinking.jsonl', ['-f', 'trl', '--images', 'drop', '--reasoning', 'field=thinking']],
  ['anthropic.jsonl', ['-f', 'anthropic']],
  ['openai-dpo.jsonl', ['-f', 'openai-dpo']],
  ['trl-dpo.jsonl', ['-f', 'trl-dpo', '--images', 'drop']],
  ['kto.jsonl', ['-f', 'kto', '--images', 'drop']],
  ['factory-sharegpt/', ['-f', 'sharegpt']],
  ['factory-alpaca/', ['-f', 'alpaca']],
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

/** The Python of a consumer's environment, with all the packages that it needs. */
function python(consumer: string): string {
  const environment = join(ROOT, 'dist/interop', consumer);
  const own = join(environment, 'bin/python');
  if (!existsSync(own)) run(['python3', '-m', 'venv', environment], ROOT);
  run([own, '-m', 'pip', 'install', '--quiet', '-r', join(FOLDER, consumer, 'requirements.txt')], ROOT);
  return own;
}

/** Writes a log and its datasets into a folder; the checker must accept each dataset. */
function exportAll(folder: string, log: string): void {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'logs/llmproxy-2026-11-23.ndjson'), log);
  for (const [output, flags] of EXPORTS) {
    run([BINARY, 'export', 'logs', '--successful-only', '-q', ...flags, '-o', output], folder);
    if (output.endsWith('.jsonl'))
      run([BINARY, 'export', '--check', output, ...flags.slice(0, 2), '-q'], folder);
  }
}

interface Result {
  readonly consumer: string;
  readonly title: string;
  readonly ok: boolean;
  readonly said: string;
}

/** The results of a consumer for the datasets in a folder; a consumer that crashes has failed. */
function consume(consumer: string, folder: string): Result[] {
  const child = Bun.spawnSync([python(consumer), join(FOLDER, consumer, 'consume.py'), folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: FOLDER, LLMPROXY: BINARY },
  });
  const results = child.stdout
    .toString()
    .split('\n')
    .filter((text) => text.startsWith('{"consumer"'))
    .map((text) => JSON.parse(text) as Result);
  if (child.exitCode !== 0)
    results.push({ consumer, title: 'the checks', ok: false, said: `ended with ${child.exitCode}` });
  if (results.some(({ ok }) => !ok)) process.stderr.write(child.stderr.toString().slice(-20_000));
  for (const { consumer: by, title, ok, said } of results)
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${by}: ${title}: ${said}\n`);
  return results;
}

const named = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const stray = named.find((name) => !(CONSUMERS as readonly string[]).includes(name));
if (stray !== undefined) throw new Error(`Unknown consumer ${stray}: expected ${CONSUMERS.join(', ')}`);
run([process.execPath, '--no-env-file', 'scripts/build.ts'], ROOT);
const work = mkdtempSync(join(tmpdir(), 'llmproxy-interop-'));
const keep = process.argv.includes('--keep');
try {
  exportAll(work, interopLog());
  exportAll(join(work, 'odd'), oddLog(1, 1500));
  const results = (named.length > 0 ? named : CONSUMERS).flatMap((consumer) => consume(consumer, work));
  if (results.some(({ ok }) => !ok)) process.exitCode = 1;
  else if (named.length === 0) writeResults(results);
  else process.stdout.write(`${results.length} checks passed\n`);
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
