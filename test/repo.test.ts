/** Rules for the repository as a whole. */
import { expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob, YAML } from 'bun';
import project from '../package.json';
import { sbom } from '../scripts/sbom.ts';
import { countTests, failuresByFile } from '../scripts/test-counts.ts';

const ROOT = join(import.meta.dir, '..');
const BUILT = /^(?:\.git|\.bun|dist|logs|exports)\/|(?:^|\/)node_modules\//;

/** The paths in the checkout, or in the tarball if there is no git. */
function files(): string[] {
  const git = existsSync(join(ROOT, '.git')) && Bun.which('git');
  if (!git)
    return [...new Glob('**/*').scanSync({ cwd: ROOT, dot: true })].filter((path) => !BUILT.test(path));
  const list = Bun.spawnSync([git, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
  });
  return list.stdout
    .toString()
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const targets = [...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name!);

test('no file names a directory of the machine it was written on', () => {
  const home = /(?:^|[\s"'`=(:])\/(?:root|home|work|Users)\/\w/m;
  expect(files().filter((path) => home.test(read(path)))).toEqual([]);
});

test('bun.lock names no host, so that any registry can serve it', () => {
  const locks = files().filter((path) => /(?:^|\/)bun\.lock$/.test(path));
  expect(locks).toContain('bun.lock');
  expect(locks.filter((path) => /https?:/.test(read(path)))).toEqual([]);
});

test('package.json names one version of Bun', () => {
  const { engines, devDependencies } = project;
  expect([engines.bun, devDependencies['bun-types']]).toEqual([devDependencies.bun, devDependencies.bun]);
  expect(devDependencies.bun).toMatch(/^\d+\.\d+\.\d+$/);
});

test('dependencies are exact versions', () => {
  const packages = files().filter((path) => /(?:^|\/)package\.json$/.test(path));
  const loose = packages.flatMap((path) => {
    const { dependencies, devDependencies } = JSON.parse(read(path)) as Partial<typeof project>;
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    return versions.filter(([, version]) => !/^\d/.test(version)).map(([name]) => `${path}: ${name}`);
  });
  expect(loose).toEqual([]);
});

/** The packages that the code in `src` imports, including type imports. */
function imported(): string[] {
  const names = files()
    .filter((path) => /^src\/.*\.tsx?$/.test(path))
    .flatMap((path) => [
      ...read(path).matchAll(/(?:\bfrom|\bimport\(|\brequire\()\s*'((?:@[\w-]+\/)?[\w-]+)/g),
    ]);
  return [...new Set(names.map(([, name = '']) => name))].filter((name) => !/^(?:bun|node)$/.test(name));
}

test('src imports at most 16 packages, and package.json lists exactly those', () => {
  const direct = Object.keys(project.dependencies);
  expect(direct.length).toBeLessThanOrEqual(16);
  expect(imported().toSorted()).toEqual(direct.toSorted());
});

test('workflows have pinned actions, timeouts and read permission only, and CI runs .ci/run', () => {
  interface Workflow {
    on: object;
    permissions: object;
    jobs: Record<string, { 'timeout-minutes'?: number; permissions?: object; steps: { run?: string }[] }>;
  }
  const workflows = files().filter((path) => path.startsWith('.github/workflows/'));
  expect(workflows).toContain('.github/workflows/ci.yml');
  for (const path of workflows) {
    const text = read(path);
    const used = [...text.matchAll(/\buses:(.*)/g)].map(([, action = '']) => action);
    const pinned = /^ [\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    expect(used.filter((action) => !pinned.test(action))).toEqual([]);
    expect(text).not.toMatch(/\bsecrets\b|pull_request_target/);
    const { permissions, jobs } = YAML.parse(text) as Workflow;
    expect(permissions).toEqual({ contents: 'read' });
    expect(Object.values(jobs).filter((job) => !job['timeout-minutes'])).toEqual([]);
    // Jobs for anyone’s changes may only read. A release is made from a tag, which only maintainers can push.
    const writing = Object.values(jobs).filter((job) => job.permissions);
    expect(writing.length === 0 || path === '.github/workflows/release.yml').toBeTrue();
  }
  const { on: released } = YAML.parse(read('.github/workflows/release.yml')) as Workflow;
  expect(released).toEqual({ push: { tags: ['v*'] } });
  const { on, jobs } = YAML.parse(read('.github/workflows/ci.yml')) as Workflow;
  expect(Object.keys(on)).toEqual(['push', 'pull_request']);
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(commands).toEqual(['bash .ci/run']);
});

test('the first line of config.yaml names the schema for editors', () => {
  const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(read('config.yaml')) ?? [];
  expect(existsSync(join(ROOT, schema ?? 'missing'))).toBeTrue();
});

test('every make target is phony and has a description', () => {
  const makefile = read('Makefile');
  const phony = /^\.PHONY: (.*)$/m.exec(makefile)?.[1]?.split(' ');
  expect(targets.toSorted()).toEqual(phony?.toSorted() ?? []);
  expect(targets.filter((name) => !new RegExp(`^${name}:.*## .`, 'm').test(makefile))).toEqual([]);
});

test('pages name only make targets, files and pages that exist', () => {
  const wrong: string[] = [];
  for (const page of files().filter((path) => path.endsWith('.md'))) {
    const text = read(page);
    const code = text.match(/^```[\s\S]*?^```|`[^`\n]+`/gm)?.join('\n') ?? '';
    for (const [, name = ''] of code.matchAll(/(?:^|`|&& )make ([a-z0-9-]+)/gm))
      if (!targets.includes(name)) wrong.push(`${page}: make ${name}`);
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g))
      if (!existsSync(join(ROOT, page, '..', link))) wrong.push(`${page}: ${link}`);
  }
  expect(wrong).toEqual([]);
});

test('text files end with one newline and have no carriage returns', () => {
  const text = files().filter((path) => /\.(?:ts|md|json|ya?ml|toml|sh)$|^(?:Makefile|LICENSE)$/.test(path));
  expect(text.filter((path) => !/[^\n]\n$/.test(read(path)) || read(path).includes('\r'))).toEqual([]);
});

test('tests are run with a timeout of 60 s each, which bunfig.toml cannot set', () => {
  // In Bun 1.4.5, `timeout` under [test] has no effect, and the default of 5 s is too short on a busy machine.
  const start = /(?:(?<!`)\bbun|\$\(RUN\)|\.\.\.bun,|'--no-env-file',) '?test\b(.*)/g;
  const pages = files().filter((path) =>
    /^(?:Makefile|package\.json|[^/]+\.md|(?:scripts|\.ci|docs)\/)/.test(path),
  );
  const starts = pages.flatMap((path) =>
    [...read(path).matchAll(start)].map(([, rest = '']) => [
      path,
      /^'?,?(?: '?--parallel=2'?,?)? '?--timeout'?,? '?60000\b/.test(rest),
    ]),
  );
  expect(starts.filter(([, limited]) => !limited)).toEqual([]);
  expect(starts.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      'Makefile',
      'package.json',
      'scripts/check.ts',
      'scripts/clients.ts',
      'scripts/real.ts',
    ]),
  );
  expect(read('bunfig.toml')).not.toMatch(/^timeout\b/m);
});

test('install.sh reads the version of Bun that package.json pins', () => {
  const script = /^pin=.*$/m.exec(read('scripts/install.sh'))?.[0] ?? 'exit 1';
  const { stdout } = Bun.spawnSync(['sh', '-c', `${script}; echo "$pin"`], { cwd: ROOT });
  expect(stdout.toString()).toBe(`${project.devDependencies.bun}\n`);
});

test('sbom() lists all direct and indirect dependencies, each with its hash and licence', () => {
  interface Component {
    name: string;
    hashes: { content: string }[];
    licenses: object[];
  }
  const { components } = sbom(ROOT) as { components: Component[] };
  const names = components.map(({ name }) => name);
  expect(Object.keys(project.dependencies).filter((name) => !names.includes(name))).toEqual([]);
  expect(names).toContain('bun');
  expect(names).not.toContain('oxlint');
  expect(components.filter(({ hashes }) => !/^[0-9a-f]{128}$/.test(hashes[0]?.content ?? ''))).toEqual([]);
  expect(sbom(ROOT)).toEqual(sbom(ROOT));
});

test.each([
  [' 3 pass\n 0 fail\nRan 3 tests across 1 file. [1ms]', { passed: 3, failed: 0 }],
  [' 3 pass\n 1 skip\n 2 fail\n 1 error\nRan 6 tests across 2 files. [1ms]', { passed: 3, failed: 3 }],
  ['bun test v1.4.5\n', { passed: 0, failed: 1 }],
])('countTests() reads %j', (summary, counts) => expect(countTests(summary)).toEqual(counts));

test('failuresByFile() counts failures by heading, and ignores the list at the end', () => {
  const written = [
    'test/a.test.ts:',
    '(pass) one [1.00ms]',
    'test/b.test.ts:',
    'error: no',
    '\u001b[31m(fail) two\u001b[0m [1.00ms]',
    '(fail) three [1.00ms]',
    'test/c.test.ts:',
    '(pass) four',
    '',
    '2 tests failed:',
    '(fail) two [1.00ms]',
  ];
  expect([...failuresByFile(written.join('\n'))]).toEqual([['test/b.test.ts', 2]]);
});
