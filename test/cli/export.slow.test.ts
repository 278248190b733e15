import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { answered, line } from '../export/records.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import { until } from '../helpers/until.ts';

const MAIN = resolve(import.meta.dir, '../../src/main.ts');
const COMMAND = [process.execPath, '--no-env-file', MAIN, 'export'];

const says = (content: string) => line({ response: answered({ content }) });
const row = (content: string) =>
  `{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"${content}"}]}\n`;

/** A working directory with logs/a.ndjson, in which the command runs. */
async function workshop(log = says('a') + says('b')) {
  const dir = await logDirectory();
  mkdirSync(join(dir.path, 'logs'));
  writeFileSync(join(dir.path, 'logs/a.ndjson'), log);
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('LLMPROXY_')),
  );
  const spawn = (args: string[], options: { stdin?: Uint8Array; env?: Record<string, string> } = {}) =>
    Bun.spawn([...COMMAND, ...args], {
      cwd: dir.path,
      env: { ...environment, ...options.env },
      stdin: options.stdin ?? 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    });
  return {
    spawn,
    run: async (args: string, options?: Parameters<typeof spawn>[1]) => {
      const child = spawn(args.split(' ').filter(Boolean), options);
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      return { code: await child.exited, stdout, stderr };
    },
    shell: async (script: string) => {
      const env = { ...environment, EXPORT: COMMAND.join(' ') };
      const child = Bun.spawn(['sh', '-c', script], { cwd: dir.path, env, stdout: 'pipe', stderr: 'pipe' });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      return { stdout, stderr };
    },
    path: (name: string) => join(dir.path, name),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

describe('llmproxy export', () => {
  test('writes ./logs as rows to a pipe, and the summary to stderr', async () => {
    await using shop = await workshop();
    const { code, stdout, stderr } = await shop.run('');
    expect([code, stdout]).toEqual([0, row('a') + row('b')]);
    expect(stderr).toMatch(
      /^Read 2 lines \(.* kB\) from 1 file, kept 2\nWrote 2 rows \(.*\) to standard output\n$/,
    );
  });

  test('writes a file, and prints nothing with --quiet', async () => {
    await using shop = await workshop();
    expect(await shop.run('logs/*.ndjson -o out/x.jsonl -q --max-records 1')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readFileSync(shop.path('out/x.jsonl'), 'utf8')).toBe(row('a'));
    const again = await shop.run('-o out/x.jsonl');
    expect(again).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Cannot write out/x.jsonl: it exists already, give --force to replace it\n',
    });
    expect((await shop.run('-o out/x.jsonl --force')).code).toBe(0);
    expect(readdirSync(shop.path('out'))).toEqual(['x.jsonl']);
  });

  test('reads stdin, also compressed, together with files', async () => {
    await using shop = await workshop();
    const { stdout } = await shop.run('- --log-file logs/a.ndjson', { stdin: gzipSync(says('from stdin')) });
    expect(stdout).toBe(row('from stdin') + row('a') + row('b'));
  });

  test('names bad lines and dropped records with --verbose', async () => {
    await using shop = await workshop(`x\n${says('')}`);
    const { stderr } = await shop.run('--verbose');
    expect(stderr).toStartWith(
      'logs/a.ndjson:1: bad line, not_json: is not a JSON object\nlogs/a.ndjson:2: dropped, no_answer: ',
    );
  });

  test('takes defaults from the environment and from config.yaml', async () => {
    await using shop = await workshop();
    const config = (max: string) => `providers: [{ name: a, type: mock }]\nexport: { max_records: ${max} }\n`;
    writeFileSync(shop.path('config.yaml'), config('1'));
    expect((await shop.run('')).stdout).toBe(row('a'));
    expect((await shop.run('', { env: { LLMPROXY_EXPORT_MAX_RECORDS: '2' } })).stdout).toBe(
      row('a') + row('b'),
    );
    writeFileSync(shop.path('config.yaml'), config('none'));
    const ignored = await shop.run('-q');
    expect([ignored.code, ignored.stdout]).toEqual([0, row('a') + row('b')]);
    expect(ignored.stderr).toStartWith('warning: config.yaml is not valid, its export section is not used');
    expect((await shop.run('--config config.yaml')).code).toBe(1);
    expect((await shop.run('--config none.yaml')).stderr).toStartWith('Cannot read none.yaml: ');
  });

  test.each([
    ['--sucessful-only', 2, '--successful-only'],
    ['--max-records many', 2, 'Cannot use --max-records many: expected a whole number from 1'],
    ['--output', 2, 'Cannot use --output: its value is missing, as in --output PATH'],
    ['-o logs/a.ndjson --force logs/a.ndjson', 2, 'it is also the input'],
    ['none.ndjson', 1, 'Cannot read none.ndjson: there is no such file or directory'],
    ['--model-filter claude --fail-empty', 3, 'No row was written'],
    ['--model-filter claude', 0, 'kept 0'],
    ['--stats -o -', 2, 'Cannot use --stats with --output -: both write to standard output'],
    ['--preview 3 -o -', 2, 'Cannot use --preview with --output -: both write to standard output'],
  ])('%s exits with %p', async (args, code, words) => {
    await using shop = await workshop();
    const result = await shop.run(args);
    expect(result.stderr).toContain(words);
    expect([result.code, result.stdout]).toEqual([code, '']);
  });

  test('keeps the existing file if no row is written and --fail-empty is given', async () => {
    await using shop = await workshop();
    const files = {
      'rows.jsonl': '-o rows.jsonl',
      'dataset/train.jsonl': '-o dataset/',
      'rows.parquet': '-o rows.parquet',
    };
    for (const [file, to] of Object.entries(files)) {
      expect((await shop.run(to)).code).toBe(0);
      const before = readFileSync(shop.path(file));
      expect(before.length).toBeGreaterThan(0);
      for (const flags of ['--successful-only --status 599', '--model-filter claude --manifest m.json']) {
        const { code, stderr } = await shop.run(`${flags} --fail-empty --force ${to}`);
        expect(code).toBe(3);
        expect(stderr).toContain('Nothing was written');
        expect(readFileSync(shop.path(file)).equals(before)).toBe(true);
      }
      // Without the option, an empty dataset is allowed.
      if (file === 'rows.jsonl') {
        expect((await shop.run(`--model-filter claude --force ${to}`)).code).toBe(0);
        expect(readFileSync(shop.path(file)).length).toBe(0);
      }
    }
    expect(readdirSync(shop.path('.')).toSorted()).toEqual(['dataset', 'logs', 'rows.jsonl', 'rows.parquet']);
  });

  test('previews rows with the trained parts marked, and writes them only if an output is given', async () => {
    await using shop = await workshop();
    const shown = await shop.run('--preview 1 -q -f trl');
    expect([shown.code, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toStartWith('Row 1\n  user\n');
    expect(shown.stdout).toContain('\n▌ assistant\n▌ a\n');
    expect(shown.stdout).not.toContain('Row 2');
    const both = await shop.run('--preview 9 --preview-html page.html -o rows.jsonl');
    expect([both.code, both.stdout.match(/^Row /gm)?.length]).toEqual([0, 2]);
    expect(readFileSync(shop.path('page.html'), 'utf8').match(/<article>/g)).toHaveLength(2);
    expect(readFileSync(shop.path('rows.jsonl'), 'utf8').split('\n')).toHaveLength(3);
    expect((await shop.run('--preview-html page.html')).stderr).toContain('page.html: it exists already');
  });

  /** A stub of the library that counts lines: the test is about how its answer is used. */
  const DATASETS = `
import os
__version__ = "0"
def disable_progress_bars(): pass
def load_dataset(path, data_files=None):
    if data_files: return {name: open(file).readlines() for name, file in data_files.items()}
    names = [name for name in os.listdir(path) if name.endswith(".jsonl")]
    lost = int(os.environ.get("LOST", "0"))
    if lost < 0: raise ValueError("Value is too big!")
    return {name[:-6]: open(os.path.join(path, name)).readlines()[lost:] for name in names}
`;

  test.skipIf(Bun.which('python3') === null)(
    '--verify loads what was written, and says what does not load',
    async () => {
      await using shop = await workshop();
      mkdirSync(shop.path('python'));
      writeFileSync(shop.path('python/datasets.py'), DATASETS);
      const PYTHONPATH = shop.path('python');
      const run = (args: string, env: Record<string, string> = { PYTHONPATH }) =>
        shop.run(`${args} --verify --force`, { env });
      expect((await run('-o dataset/')).stderr).toContain('Verified with datasets 0: 2 train\n');
      expect((await run('-o rows.jsonl')).stderr).toContain('Verified with datasets 0: 2 train\n');
      const lost = await run('-o dataset/', { PYTHONPATH, LOST: '1' });
      expect([lost.code, lost.stderr]).toEqual([
        4,
        expect.stringContaining('datasets loads 1 rows of train, and 2 were written'),
      ]);
      const failing = await run('-o dataset/', { PYTHONPATH, LOST: '-1' });
      expect([failing.code, failing.stderr]).toEqual([4, expect.stringContaining('Value is too big!')]);
      const none = await run('-o dataset/', { PYTHON: shop.path('no-python') });
      expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('does not start')]);
    },
  );

  test('prints the next step if rows were written to files', async () => {
    await using shop = await workshop();
    expect((await shop.run('-o dataset/')).stderr).toContain(
      '\nNext: trl sft --model_name_or_path MODEL --dataset_name dataset/',
    );
    expect((await shop.run('-o rows.jsonl -f openai')).stderr).toContain(
      '\nNext: upload rows.jsonl to OpenAI',
    );
    for (const args of [
      '-f openai',
      '--dry-run',
      '-q -o other.jsonl',
      '--model none -o none.jsonl',
      '--export-all -o raw.jsonl',
    ])
      expect((await shop.run(args)).stderr).not.toContain('Next:');
  });

  test('ends quietly with 0 when its reader closes the pipe', async () => {
    await using shop = await workshop(says('x'.repeat(2_000)).repeat(2_000));
    const { stdout, stderr } = await shop.shell('{ $EXPORT --dedup none; echo "exit $?" >&2; } | head -n 1');
    expect(stdout).toBe(row('x'.repeat(2_000)));
    expect(stderr).toBe('exit 0\n');
  });

  test('writes everything to a slow reader', async () => {
    await using shop = await workshop(says('x'.repeat(1_000)).repeat(1_000));
    const { stdout } = await shop.shell('$EXPORT -q --dedup none | { sleep 0.3; wc -lc; }');
    expect(stdout.trim().split(/\s+/).map(Number)).toEqual([1_000, row('x'.repeat(1_000)).length * 1_000]);
  });

  test.skipIf(!existsSync('/dev/full'))('says so if stdout is full, and ignores that stderr is', async () => {
    await using shop = await workshop();
    for (const flags of ['', '--stats', '--check -f openai logs/a.ndjson', '--preview 2'])
      expect((await shop.shell(`$EXPORT ${flags} > /dev/full; echo "exit $?" >&2`)).stderr).toMatch(
        /Cannot write (?:to )?standard output: (?:the disk is full|no space left on device)\nexit 1\n$/,
      );
    const { stdout } = await shop.shell('$EXPORT --progress always -v 2> /dev/full; echo "exit $?"');
    expect(stdout).toBe(`${row('a')}${row('b')}exit 0\n`);
  });

  test.skipIf(process.platform !== 'linux')('goes on after SIGHUP if it was started to do so', async () => {
    await using shop = await workshop();
    const { stdout } = await shop.shell(
      `mkfifo pipe; { nohup $EXPORT logs pipe -q -o x.jsonl & } 2> nohup.err
      exec 3> pipe; until ls -A | grep -q tmp; do sleep 0.01; done
      kill -HUP $!; exec 3>&-; wait $!; echo "exit $?"; ls -A *x.jsonl*`,
    );
    expect(stdout).toBe('exit 0\nx.jsonl\n');
  });

  test.each([
    ...(process.platform === 'linux' ? ([['SIGHUP', 129]] as const) : []),
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves nothing behind after %s', async (signal, code) => {
    await using shop = await workshop();
    mkdirSync(shop.path('out'));
    const child = shop.spawn(['logs', '-', '--output', 'out/x.jsonl']);
    await until('the draft', () => readdirSync(shop.path('out')).length);
    // The draft exists, and the signal handler is set up before the draft.
    child.kill(signal);
    expect(await child.exited).toBe(code);
    expect(readdirSync(shop.path('out'))).toEqual([]);
    expect(existsSync(shop.path('logs/a.ndjson'))).toBe(true);
  });
});
