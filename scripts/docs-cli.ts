/** Writes docs/cli.md from the tree of commands; `--check` only says whether it is stale. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands, commandOf } from '../src/cli/argv/command.ts';
import { ROOT } from '../src/cli/argv/tree.ts';
import { helpText } from '../src/cli/help.ts';

const PATH = join(import.meta.dir, '..', 'docs/cli.md');
const COLUMNS = 80;

const commands = await allCommands(await commandOf(ROOT, ['llmproxy']));
const named = commands.filter(({ names }) => names.length > 1);

const list = named.map(({ names, description }) => {
  const name = names.join(' ');
  return `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${description.replaceAll('|', '\\|')} |`;
});

const sections = await Promise.all(
  commands.map(async (command) => {
    const text = await helpText(command, COLUMNS);
    return `## ${command.names.join(' ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  }),
);

const text = `# Commands

Made by \`scripts/docs-cli.ts\` from the commands themselves; do not edit it here. \`llmproxy help COMMAND\` shows the same in the
terminal, as wide as that is.

| command | what it does |
| --- | --- |
${list.join('\n')}

- A flag is written \`--port 80\` or \`--port=80\`. A switch such as \`--json\` is turned off again by \`--no-json\`. What stands behind
  \`--\` is no flag.
- What a command has no use for is refused with exit code 2 and a hint: an argument or a flag too many, a flag given twice, a value
  that is missing.
- \`--env-file FILE\`, before or behind the command, adds the variables of a file to the environment. What is set already stays; of
  several files the first that sets a variable counts. No \`.env\` is read unless it is named so.
- Data goes to stdout, and what is said about it to stderr.

Completions for your shell:

\`\`\`sh
echo 'source <(llmproxy completions bash)' >> ~/.bashrc
echo 'source <(llmproxy completions zsh)' >> ~/.zshrc    # behind compinit
llmproxy completions fish > ~/.config/fish/completions/llmproxy.fish
\`\`\`

${sections.join('\n')}`;

const current = existsSync(PATH) ? readFileSync(PATH, 'utf8') : '';
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (current !== text) {
  process.stderr.write('docs/cli.md is stale: run make docs\n');
  process.exitCode = 1;
}
