/** Loads exported files with the code that trainers use, and counts the rows. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Settings } from '../export/options/settings.ts';
import type { Report } from '../export/report/report.ts';
import { isObject, objectOf, parseJson, stringOf } from '../wire/json.ts';
import { ExitError } from './exit.ts';

/** Loading a large dataset takes long. */
const PATIENCE_MS = 30 * 60_000;
const LAST_LINES = 3;

/** Prints, as JSON, the version of `datasets` and the number of rows per split; or the module that is missing. */
const SCRIPT = `
import json, sys
path, kind = sys.argv[1:]
try:
    import datasets
except ModuleNotFoundError as missing:
    print(json.dumps({"missing": missing.name}))
    sys.exit()
datasets.disable_progress_bars()
if kind == "directory":
    loaded = datasets.load_dataset(path)
else:
    loaded = datasets.load_dataset(kind, data_files={"train": path})
rows = {}
for name, split in loaded.items():
    rows[name] = 0
    for row in split:
        rows[name] += 1
print(json.dumps({"version": datasets.__version__, "rows": rows}))
`;

/**
 * Loads the files of an export with HF `datasets`.
 * @returns a line for the summary
 * @throws ExitError 1 if Python or the library is missing, 4 if the files cannot be loaded or the counts differ
 */
export function verified({ sink }: Settings, { splits }: Report): string {
  const python = process.env.PYTHON || 'python3';
  // It caches what it loads, and would otherwise return the cached content of files that have changed.
  const cache = mkdtempSync(join(tmpdir(), 'llmproxy-verify-'));
  try {
    const kind = sink.shape === 'directory' ? 'directory' : sink.parquet ? 'parquet' : 'json';
    const { status, stdout, stderr, error } = spawnSync(python, ['-c', SCRIPT, resolve(sink.path), kind], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      env: {
        ...process.env,
        HF_HUB_OFFLINE: '1',
        HF_HOME: cache,
        HF_DATASETS_CACHE: join(cache, 'datasets'),
      },
    });
    if (error)
      throw new ExitError(1, `Cannot verify: ${python} does not start (${error.message}); set PYTHON`);
    if (status !== 0) throw new ExitError(4, `Cannot load ${sink.path} with datasets: ${lastLines(stderr)}`);
    return compared(parseJson(stdout.trim().split('\n').at(-1) ?? ''), splits, python);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function compared(answer: unknown, splits: Report['splits'], python: string): string {
  const { missing, version, rows } = objectOf(answer);
  if (missing !== undefined)
    throw new ExitError(
      1,
      `Cannot verify: ${python} has no module ${String(missing)}; install it (pip install datasets), or set PYTHON to a Python that has it`,
    );
  if (!isObject(rows)) throw new ExitError(1, `Cannot verify: ${python} gave no answer that can be read`);
  // A split without rows has no file.
  const expected = Object.fromEntries(Object.entries(splits).filter(([, count]) => count > 0));
  const names = new Set([...Object.keys(expected), ...Object.keys(rows)]);
  const wrong = [...names].filter((name) => rows[name] !== expected[name]);
  if (wrong.length > 0)
    throw new ExitError(
      4,
      `Cannot verify: ${wrong.map((name) => `datasets loads ${String(rows[name] ?? 0)} rows of ${name}, and ${expected[name] ?? 0} were written`).join('; ')}`,
    );
  const counts = Object.entries(expected).map(([name, count]) => `${count} ${name}`);
  return `Verified with datasets ${stringOf(version) ?? ''}: ${counts.join(', ')}\n`;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-LAST_LINES).join('\n');
}
