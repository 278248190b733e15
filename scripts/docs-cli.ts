/** Writes docs/cli.md from the tree of commands; `--check` only reports whether the page is stale. */
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

Made by \`scripts/docs-cli.ts\` from the commands themselves; do not edit it here. \`llmproxy help COMMAND\` shows the same,
fitted to the width of the terminal.

| command | what it does |
| --- | --- |
${list.join('\n')}

- Flags are written as \`--port 80\` or \`--port=80\`. A switch such as \`--json\` is turned off again with \`--no-json\`. Anything after
  \`--\` is not a flag.
- Superfluous arguments, unknown flags, flags given twice and missing values are refused with exit status 2 and a hint.
- \`--env-file FILE\`, before or after the command, reads environment variables from a file. Variables already set are kept; if several
  files set the same variable, the first one applies. A \`.env\` file is read only if it is named this way.
- Data goes to stdout, and messages go to stderr.

Completions for your shell:

\`\`\`sh
echo 'source <(llmproxy completions bash)' >> ~/.bashrc
echo 'source <(llmproxy completions zsh)' >> ~/.zshrc    # after compinit
llmproxy completions fish > ~/.config/fish/completions/llmproxy.fish
\`\`\`

${sections.join('\n')}`;

const current = existsSync(PATH) ? readFileSync(PATH, 'utf8') : '';
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (current !== text) {
  process.stderr.write('docs/cli.md is stale: run make docs\n');
  process.exitCode = 1;
}
