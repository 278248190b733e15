import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../../../src/cli/argv/run.ts';
import { allCommands, commandOf } from '../../../src/cli/argv/command.ts';
import { ROOT } from '../../../src/cli/argv/tree.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { RUNTIME_SETTINGS } from '../../../src/cli/runtime-settings.ts';
import { built, cleared, folder, run } from '../../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** Command lines, and the hint in the one-line error that each gets. */
const REFUSED: readonly (readonly [typed: string, hint: string])[] = [
  ['serve my.yaml', 'did you mean --config my.yaml?'],
  ['serve .env', 'did you mean --env-file .env?'],
  ['serve 8080', 'did you mean --port 8080?'],
  ['serve port=8080', 'did you mean --port 8080?'],
  ['serve logs/', 'did you mean --log-dir logs/?'],
  ['serve -- x', 'it takes no arguments; see `llmproxy serve --help`'],
  ['health http://host', 'did you mean --url http://host?'],
  ['health localhost:8000', 'did you mean --url http://localhost:8000?'],
  ['health json', 'did you mean --json?'],
  ['health sk-abcdefghijkl', 'Cannot use [masked] with'],
  ['providers openai x', 'it takes no more than TYPE'],
  ['keys show a b', 'it takes no more than NAME'],
  ['keys show', 'NAME is missing. Usage: llmproxy keys show [FLAGS] NAME'],
  ['explain a --model b', 'give one model'],
  ['licenses x', 'it takes no arguments'],
  ['serv', 'did you mean `llmproxy serve`?'],
  ['start', 'did you mean `llmproxy serve`?'],
  ['validate', 'did you mean `llmproxy config validate`?'],
  ['version', 'did you mean `llmproxy --version`?'],
  ['keys creat', 'did you mean `llmproxy keys create`?'],
  ['keys zzz', 'expected create, list, show, rotate'],
  ['zzz', 'more; see `llmproxy help`'],
  ['help zzz', 'Cannot run `llmproxy zzz`: unknown command'],
  ['help keys zzz', 'Cannot run `llmproxy keys zzz`: unknown command'],
  ['--config my.yaml serve', 'write it after the command, as in `llmproxy COMMAND --config`'],
  ['serve --prot 1', 'did you mean --port?'],
  ['serve --log_dir x', 'did you mean --log-dir?'],
  ['serve -port 1', 'Cannot use -port with `llmproxy serve`: unknown flag, did you mean --port?'],
  ['serve -c my.yaml', 'did you mean --config?'],
  ['serve --zzz', 'unknown flag; see `llmproxy serve --help`'],
  ['serve --version', 'did you mean `llmproxy --version`?'],
  ['serve --port', 'its value is missing, as in --port PORT'],
  ['serve --config --port 1', 'its value is missing, as in --config FILE'],
  ['serve --port 1 --port 1', 'Cannot use --port twice'],
  ['health --json --json', 'Cannot use --json twice'],
  ['health --json=maybe', 'expected true or false'],
  ['health --no-url', 'only switches can be turned off'],
  ['serve --port abc', 'expected a whole number from 0 to 65535'],
  ['serve --port 70000', 'expected a whole number from 0 to 65535'],
  ['serve --port=', 'expected a whole number from 0 to 65535'],
  ['serve --env-file', 'its value is missing, as in --env-file FILE'],
  ['completions bsh', 'did you mean bash?'],
  ['export --formt trl', 'did you mean --format?'],
  ['export -o a -o b', 'Cannot use --output twice'],
  ['explain --endpoint chta', 'did you mean chat?'],
];

test.each(REFUSED)('llmproxy %s is refused with a hint', async (typed, hint) => {
  // Otherwise `serve` would replace this process.
  Object.assign(process.env, RUNTIME_SETTINGS);
  const thrown: unknown = await runProgram(typed.split(' ')).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ExitError);
  const { code, message } = thrown as ExitError;
  expect(code).toBe(2);
  expect(message).toStartWith('Cannot ');
  expect(message).toContain(hint);
  expect(message).not.toContain('\n');
});

test('reports a refused command line on stderr, and exits with 2', () => {
  const { code, out, err } = run(folder(), 'serve', 'my.yaml');
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe('Cannot use my.yaml with `llmproxy serve`: did you mean --config my.yaml?\n');
});

test('every command refuses unknown flags', async () => {
  const commands = await allCommands(await commandOf(ROOT, ['llmproxy']));
  const runnable = commands.filter(({ definition }) => definition.run);
  expect(runnable.length).toBeGreaterThan(20);
  for (const { names } of runnable)
    await expect(runProgram([...names.slice(1), '--no-such-flag'])).rejects.toThrow(
      'Cannot use --no-such-flag with',
    );
});

test('config validate checks all given files, and fails if one of them is invalid', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'a.yaml'), 'providers: [{ name: a, type: mock }]\n');
  writeFileSync(join(cwd, 'b.yaml'), 'providers: [{ name: a, typ: mock }]\n');
  const good = run(cwd, 'config', 'validate', 'a.yaml', '--config', 'a.yaml');
  expect([good.code, good.out]).toEqual([0, 'a.yaml is valid\na.yaml is valid\n']);
  const both = run(cwd, 'config', 'validate', 'b.yaml', 'a.yaml');
  expect([both.code, both.out]).toEqual([1, 'a.yaml is valid\n']);
  expect(both.err).toContain('b.yaml:1:24 error: unknown key `typ`');
  const json = JSON.parse(run(cwd, 'config', 'validate', 'b.yaml', 'a.yaml', '--json').out) as object[];
  expect(json).toMatchObject([
    { file: 'b.yaml', valid: false },
    { file: 'a.yaml', valid: true },
  ]);
});

test('explain takes the model as its argument', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), 'providers: [{ name: a, type: mock }]\n');
  expect(run(cwd, 'explain', 'mock').out).toBe(run(cwd, 'explain', '--model=mock').out);
  expect(run(cwd, 'explain', 'mock').out).toStartWith('mock at chat');
});

test('--env-file may be given before and after a command, and the first file that sets a variable is used', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), 'providers: [{ name: "${NAME}", type: mock }]\n');
  writeFileSync(join(cwd, 'a.env'), 'NAME=from-a\n');
  writeFileSync(join(cwd, 'b.env'), 'NAME=from-b\n');
  const shown = (...args: string[]) => /name: (.*)/.exec(run(cwd, ...args).out)?.[1];
  expect(shown('--env-file', 'a.env', 'config', 'validate', '--show')).toBe('from-a');
  expect(shown('config', 'validate', '--show', '--env-file=b.env', '--env-file', 'a.env')).toBe('from-b');
});

test('the name of a group without a command prints its help, and fails', () => {
  const { code, out } = run(folder(), 'keys');
  expect([code, out]).toEqual([2, run(folder(), 'keys', '--help').out]);
});
