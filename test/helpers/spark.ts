/** Apache Spark in local mode: a Python that has it, and exports with deploy/spark/llmproxy_export.py. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dir, '../..');
const ENVIRONMENT = join(ROOT, 'dist/spark');
const REQUIREMENTS = join(ROOT, 'test/spark/requirements.txt');
const SCRIPT = join(ROOT, 'deploy/spark/llmproxy_export.py');

/** A Python with PySpark and pyarrow, on a machine that has Java; `null` if there is none. */
export const SPARK_PYTHON = sparkPython();

function sparkPython(): string | null {
  const required = process.env.LLMPROXY_TEST_SCALE === '1';
  const own = join(ENVIRONMENT, 'bin/python');
  if (required) install(own);
  const found = [own, 'python3'].find(hasSpark) ?? null;
  if (found && Bun.which('java')) return found;
  const missing = found ? 'java is not installed' : 'no Python has pyspark and pyarrow';
  if (required) throw new Error(`Cannot test exports on Spark: ${missing}`);
  process.stderr.write(`Exports on Spark are not tested: ${missing}.\n`);
  return null;
}

function install(python: string): void {
  if (!existsSync(python)) run(['python3', '-m', 'venv', ENVIRONMENT]);
  run([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
}

function run(command: readonly string[]): void {
  const { exitCode } = Bun.spawnSync([...command], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (exitCode !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with status ${exitCode}`);
}

function hasSpark(python: string): boolean {
  if (Bun.which(python) === null) return false;
  const look =
    'import importlib.util as u, sys; sys.exit(not (u.find_spec("pyspark") and u.find_spec("pyarrow")))';
  return Bun.spawnSync([python, '-c', look]).exitCode === 0;
}

/** The environment of Spark and its children: that Python, and a JVM that starts quickly. */
export function sparkEnvironment(
  more: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:LLMPROXY|AWS|SPARK)_/.test(name)),
    ),
    PYSPARK_PYTHON: Bun.which(SPARK_PYTHON!)!,
    JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1',
    SPARK_LOCAL_IP: '127.0.0.1',
    ...more,
  };
}

export interface SparkExport {
  readonly status: number;
  readonly said: string;
}

/** A Spark context that runs exports one after another. */
export class SparkExports implements AsyncDisposable {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', Bun.BunFile>;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: Bun.Subprocess<'pipe', 'pipe', Bun.BunFile>) {
    this.#process = process;
    this.#lines = linesOf(process.stdout);
  }

  /**
   * Starts Spark.
   * @param master such as `local[2,4]`: two tasks in parallel, each of which may fail three times
   * @param log a file for Spark's output
   */
  static async start(
    master: string,
    log: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<SparkExports> {
    const command = [SPARK_PYTHON!, join(ROOT, 'test/spark/exports.py'), master];
    const options = {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: Bun.file(log),
      env: sparkEnvironment(more),
    } as const;
    const spark = new SparkExports(Bun.spawn(command, options));
    if ((await spark.#line()) !== 'ready') throw new Error(`Spark does not start: see ${log}`);
    return spark;
  }

  /** Runs an export. @param args arguments of llmproxy_export.py */
  async run(...args: readonly string[]): Promise<SparkExport> {
    this.#process.stdin.write(`${JSON.stringify(args)}\n`);
    await this.#process.stdin.flush();
    return JSON.parse(await this.#line()) as SparkExport;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`Spark ended with status ${await this.#process.exited}`);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.end();
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Runs deploy/spark/llmproxy_export.py with spark-submit. @param options options of spark-submit */
export async function submit(
  options: readonly string[],
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<SparkExport> {
  const home = [SPARK_PYTHON!, '-c', 'import pyspark, os; print(os.path.dirname(pyspark.__file__))'];
  const SPARK_HOME = Bun.spawnSync(home).stdout.toString().trim();
  const command = [
    join(SPARK_HOME, 'bin/spark-submit'),
    ...options,
    '--conf',
    'spark.ui.enabled=false',
    SCRIPT,
    ...args,
  ];
  const child = Bun.spawn(command, {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: sparkEnvironment({ SPARK_HOME, ...more }),
  });
  // Spark writes the program's stderr to its stdout, and its own log to stderr.
  const [said, log] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const status = await child.exited;
  return { status, said: status === 0 ? said : said + log };
}
