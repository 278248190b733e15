/** Every command in the documentation must work as shown: the program has the command and its flags. */
import { expect, test } from 'bun:test';
import { commandOf, subCommandOf } from '../../src/cli/argv/command.ts';
import { parseArguments } from '../../src/cli/argv/parse.ts';
import { ROOT } from '../../src/cli/argv/tree.ts';
import { parseFlags } from '../../src/export/options/flags.ts';
import { fences, PAGES, readPage } from './pages.ts';

/** The words of a shell line up to a pipe, a redirection or a comment. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s'"|>;&#]|"(?:\\.|[^"])*"|'[^']*'|(?<=\S)#)+|[|>;&#]/g) ?? [];
  const end = words.findIndex((word) => /^[|>;&#]$/.test(word));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replaceAll(/["']/g, ''));
}

/** The lines of a page that call the program, without preceding variables. */
function calls(page: string): string[][] {
  return fences(page, 'sh')
    .flatMap((text) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .filter((line) => !line.includes('BUN_BE_BUN='))
    .map((line) => wordsOf(line.replace(/^\s*(?:[A-Z_]+=\S* )*(?:npx |bunx |docker run \S.* )?/, '')))
    .filter(([program]) => /^(?:dist\/|\.\/)?llmproxy$/.test(program ?? ''))
    .map(([, ...args]) => args.filter((arg) => arg !== '...'));
}

async function expectTakes(args: readonly string[]): Promise<void> {
  let command = await commandOf(ROOT, ['llmproxy']);
  let at = 0;
  while (command.subCommands.includes(args[at] ?? '')) {
    command = (await subCommandOf(command, args[at]!))!;
    at += 1;
  }
  const rest = args.slice(at);
  if (command.names.join(' ') === 'llmproxy export') parseFlags(rest.filter((arg) => arg !== '--help'));
  else if (command.definition.run) parseArguments(command, rest);
  else expect(['--help', '--version', undefined]).toContain(rest[0]);
}

const shown = PAGES.map((page) => [page, calls(page)] as const).filter(([, found]) => found.length > 0);

test.each(shown)('the commands of %s are accepted by the program', async (_page, found) => {
  for (const args of found) {
    await expectTakes(args).catch((thrown: Error) => {
      throw new Error(`llmproxy ${args.join(' ')}: ${thrown.message}`);
    });
  }
});

test('commands are found where they are shown', async () => {
  const count = shown.reduce((sum, [, found]) => sum + found.length, 0);
  expect(count).toBeGreaterThan(50);
  expect(expectTakes(['health', '--no-such-flag'])).rejects.toThrow('no-such-flag');
});

test('commands in text name what exists', async () => {
  const root = await commandOf(ROOT, ['llmproxy']);
  const named = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/`llmproxy ([a-z]+)\b[^`]*`/g)].map(([, name]) => `${page}: ${name}`),
  );
  expect(named.filter((each) => !root.subCommands.includes(each.split(': ')[1]!))).toEqual([]);
});
