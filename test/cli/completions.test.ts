/** Tests completions in each shell that is installed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** A folder with something to complete, and the program in `bin`. */
function place(): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'bin'));
  symlinkSync(BINARY, join(cwd, 'bin/llmproxy'));
  writeFileSync(join(cwd, 'my config.yaml'), '');
  mkdirSync(join(cwd, 'my-logs'));
  return cwd;
}

/** The output of a shell that runs a script. */
function shell(cwd: string, command: readonly string[], input: string): string {
  const env = { PATH: `${join(cwd, 'bin')}:${process.env.PATH}`, HOME: cwd, TERM: 'dumb' };
  const { stdout, stderr } = Bun.spawnSync([...command], { cwd, env, stdin: Buffer.from(input) });
  return `${stdout.toString()}${stderr.toString()}`;
}

/** The text typed, some of the expected suggestions, and suggestions that must not appear. */
const CASES: readonly (readonly [typed: string, offered: readonly string[], not: readonly string[]])[] = [
  ['llmproxy ', ['serve', 'keys', 'completions'], ['create', '--port']],
  ['llmproxy se', ['serve'], ['keys']],
  ['llmproxy keys ', ['create', 'rotate'], ['serve']],
  ['llmproxy serve --', ['--port', '--env-file', '--help'], ['--json']],
  ['llmproxy health --w', ['--watch'], ['--json']],
  ['llmproxy keys create x --la', ['--label'], ['--config']],
  ['llmproxy serve --config my', ['my config.yaml'], []],
  ['llmproxy config validate my', ['my config.yaml'], []],
  ['llmproxy serve --log-dir my', ['my-logs'], ['my config.yaml']],
  ['llmproxy explain --endpoint emb', ['embeddings'], ['chat']],
  ['llmproxy completions ', ['bash', 'zsh', 'fish'], ['serve']],
  ['llmproxy help ke', ['keys'], []],
];

/** Each shell runs all cases at once, because it starts slowly. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `source <(llmproxy completions bash)
at() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _llmproxy; printf '%s\n' "\${COMPREPLY[@]}"; echo ====; }
${CASES.map(([typed]) => `at ${quotedWords(typed)}`).join('\n')}
at llmproxy serve --config = my
`,
  fish: `llmproxy completions fish | source
${CASES.map(([typed]) => `complete -C '${typed}'\necho ====`).join('\n')}
`,
  // zsh completes only on a terminal, so the text is typed into one.
  zsh: `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='at''-last>'; autoload -Uz compinit; compinit -D -u; source <(llmproxy completions zsh)"
zpty -w shell "zstyle ':completion:*' list-prompt ''; LISTMAX=1000; COLUMNS=400; bindkey '^I' list-choices; echo rea''dy"
zpty -r -m shell line '*ready*at-last>*'
${CASES.map(
  ([typed]) => `zpty -w -n shell $'${typed}\\t'
zpty -w -n shell $'\\x15echo here-it-\\'\\'ends\\n'
zpty -r -m shell line '*here-it-ends*at-last>*'
print -r -- $line
echo '===='`,
).join('\n')}
zpty -d shell
`,
};

function quotedWords(typed: string): string {
  return typed
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ');
}

/** The suggestions that the shell shows, without its own messages. */
function wordsIn(shown: string): string[] {
  const pieces = Bun.stripANSI(shown).split(/\n|\r|\t|\s{2,}|--\s/);
  return pieces.map((piece) => piece.trim().replace(/\/$/, '').replaceAll('\\', ''));
}

describe.each([
  ['bash', ['bash', '--norc', '-s']],
  ['fish', ['fish', '--no-config']],
  ['zsh', ['zsh', '-f', '-s']],
])('%s completes', (name, command) => {
  const answers: string[] = [];
  const missing = Bun.which(name) === null;
  beforeAll(() => {
    if (!missing) answers.push(...shell(place(), command, SCRIPTS[name]!).split('====\n'));
  });

  test.skipIf(missing).each(CASES.map((each, index) => [index, ...each] as const))(
    '%d %j',
    (index, _, offered, not) => {
      const found = wordsIn(answers[index]!);
      for (const word of offered) expect(found).toContain(word);
      for (const word of not) expect(found).not.toContain(word);
    },
  );

  test.skipIf(missing || name !== 'bash')('after an equals sign, which separates words', () => {
    expect(wordsIn(answers[CASES.length]!)).toContain('my config.yaml');
  });
});

test('every script is valid for its shell, and names each command and flag', () => {
  for (const name of ['bash', 'zsh', 'fish']) {
    const { out } = run(folder(), 'completions', name);
    if (Bun.which(name)) expect(shell(folder(), [name, '-n'], out)).toBe('');
    for (const word of ['serve', 'create', 'env-file', 'log-dir', 'reconcile', 'near-dup'])
      expect(out).toContain(word);
  }
});
