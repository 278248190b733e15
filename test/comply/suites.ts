/** The public suites: how each is run, and how its results are read. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UpstreamName } from './rig.ts';
import { UPSTREAMS } from './rig.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../../src/wire/json.ts';

/** The results of a suite with one upstream. */
export interface Marks {
  readonly passed: number;
  readonly failed: readonly { readonly test: string; readonly why: string }[];
  readonly skipped: readonly { readonly test: string; readonly why: string }[];
}

export interface Suite {
  readonly name: string;
  /** The URL of its source. */
  readonly source: string;
  /** Why it cannot be run here; `undefined` if it can. */
  readonly lacks?: string | undefined;
  run(upstream: UpstreamName): Promise<Marks>;
}

export interface SuiteContext {
  /** The binary's URL. */
  readonly url: string;
  /** A Python in which requirements.txt is installed. */
  readonly python: string;
  /** A folder for the suites' output. */
  readonly folder: string;
}

const LIMIT_MS = 1_200_000;

/** All suites, including those that cannot be run here. */
export async function suites(context: SuiteContext): Promise<Suite[]> {
  const comply = (format: string, title: string, ...flags: string[]): Suite => ({
    name: title,
    source: 'llm-comply (PyPI)',
    run: (upstream) => llmComply(context, format, upstream, flags),
  });
  const langchain = (file: string, title: string): Suite => {
    let told: Promise<Map<string, Marks>> | undefined;
    return {
      name: title,
      source: 'langchain-tests (PyPI)',
      run: async (upstream) => (await (told ??= pytest(context, file))).get(upstream)!,
    };
  };
  const { url } = context;
  return [
    comply('openai-chat', 'OpenAI Chat Completions', '-u', `${url}/v1`),
    comply('open-responses', 'Open Responses', '-u', `${url}/v1`),
    comply(
      'anthropic',
      'Anthropic Messages',
      '-u',
      `${url}/v1`,
      '--auth-header',
      'x-api-key',
      '--no-bearer',
      '-H',
      'anthropic-version:2023-06-01',
    ),
    comply(
      'google-genai',
      'Google generateContent',
      '-u',
      url,
      '--auth-header',
      'x-goog-api-key',
      '--no-bearer',
    ),
    langchain('test_openai.py', 'LangChain, OpenAI chat'),
    langchain('test_responses.py', 'LangChain, OpenAI Responses'),
    langchain('test_anthropic.py', 'LangChain, Anthropic'),
    langchain('test_google.py', 'LangChain, Google'),
    langchain('test_ollama.py', 'LangChain, Ollama'),
    await openResponses(context),
  ];
}

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: LIMIT_MS,
  });
  const [out] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return out;
}

async function llmComply(
  { python }: SuiteContext,
  format: string,
  model: UpstreamName,
  flags: readonly string[],
): Promise<Marks> {
  const command = [
    python.replace(/python$/, 'llm-comply'),
    '--format',
    format,
    '-k',
    'k',
    '-m',
    model,
    '--json',
  ];
  const told = parseJson(await run([...command, ...flags]));
  if (!isObject(told)) throw new Error(`llm-comply ${format} says nothing that can be read`);
  const results = listOf(told.results).map(objectOf);
  const of = (status: string) =>
    results
      .filter((result) => result.status === status)
      .map(({ id, errors }) => ({ test: String(id), why: listOf(errors).map(String).join('; ') }));
  return {
    passed: results.filter(({ status }) => status === 'passed').length,
    failed: of('failed'),
    skipped: of('skipped'),
  };
}

/** Runs a file of tests for all upstreams at once; pytest writes the results as JUnit XML. */
async function pytest({ python, url, folder }: SuiteContext, file: string): Promise<Map<string, Marks>> {
  const report = join(folder, `${file}.xml`);
  rmSync(report, { force: true });
  const options = [
    'asyncio_mode=auto',
    'asyncio_default_fixture_loop_scope=session',
    'asyncio_default_test_loop_scope=session',
  ].flatMap((option) => ['-o', option]);
  const flags = ['-q', '-p', 'no:cacheprovider', '--benchmark-disable', ...options];
  const tests = join(import.meta.dir, 'langchain', file);
  await run([python, '-m', 'pytest', ...flags, `--junitxml=${report}`, tests], {
    COMPLY_URL: url,
    COMPLY_MODELS: UPSTREAMS.join(','),
    PYTHONDONTWRITEBYTECODE: '1',
  });
  if (!existsSync(report)) throw new Error(`pytest ${file} wrote no report`);
  const told = readJunit(readFileSync(report, 'utf8'));
  return new Map(
    UPSTREAMS.map((name) => [name, marksOf(told.filter(({ of }) => of.endsWith(`.Test_${name}`)))]),
  );
}

interface Case {
  /** The class of the test. */
  readonly of: string;
  readonly test: string;
  readonly kind: string | undefined;
  readonly why: string;
}

/** Reads a JUnit report. */
function readJunit(xml: string): Case[] {
  const cases = xml.matchAll(
    /<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  return [...cases].map(([, of = '', test = '', inner = '']) => {
    const [, kind, why = ''] = /<(failure|error|skipped)\b[^>]*?message="([^"]*)"/.exec(inner) ?? [];
    return { of, test, kind, why: unescaped(why).split('\n')[0]!.slice(0, 200) };
  });
}

function marksOf(cases: readonly Case[]): Marks {
  return {
    passed: cases.filter(({ kind }) => kind === undefined).length,
    failed: cases.filter(({ kind }) => kind === 'failure' || kind === 'error'),
    skipped: cases.filter(({ kind }) => kind === 'skipped'),
  };
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescaped(text: string): string {
  return text
    .replace(/&#(?:x([\da-f]+)|(\d+));/gi, (_, hex: string | undefined, digits: string | undefined) =>
      String.fromCodePoint(hex ? parseInt(hex, 16) : Number(digits)),
    )
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name]!);
}

const OPEN_RESPONSES = 'https://github.com/openresponses/openresponses';

/** The specification's own test is only in its repository, not in a package registry. */
async function openResponses({ url, folder }: SuiteContext): Promise<Suite> {
  const suite = { name: 'Open Responses, its own test', source: OPEN_RESPONSES };
  const checkout = join(folder, 'openresponses');
  if (!existsSync(join(checkout, 'package.json'))) {
    rmSync(checkout, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const clone = [
      'git',
      '-c',
      'http.lowSpeedTime=20',
      'clone',
      '--quiet',
      '--depth',
      '1',
      OPEN_RESPONSES,
      checkout,
    ];
    await run(clone, { GIT_TERMINAL_PROMPT: '0' });
    if (existsSync(join(checkout, 'package.json')))
      await run([process.execPath, 'install', '--cwd', checkout]);
  }
  if (!existsSync(join(checkout, 'node_modules'))) {
    const lacks = 'its repository could not be fetched where this page was written';
    return { ...suite, lacks, run: () => Promise.reject(new Error(lacks)) };
  }
  return {
    ...suite,
    async run(model) {
      const command = [process.execPath, 'run', '--cwd', checkout, 'test:compliance', '--'];
      const told = await run([
        ...command,
        '--base-url',
        `${url}/v1`,
        '--api-key',
        'k',
        '--model',
        model,
        '--json',
      ]);
      const report = objectOf(parseJson(told.slice(told.indexOf('{'))));
      const results = listOf(report.results).map(objectOf);
      const { passed } = objectOf(report.summary);
      const of = (status: string) =>
        results
          .filter((result) => result.status === status)
          .map(({ id, errors }) => ({
            test: stringOf(id) ?? '',
            why: listOf(errors).map(String).join('; '),
          }));
      return {
        passed: numberOf(passed) ?? results.filter(({ status }) => status === 'passed').length,
        failed: of('failed'),
        skipped: of('skipped'),
      };
    },
  };
}
