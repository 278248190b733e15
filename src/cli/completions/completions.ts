import { defineCommand } from 'citty';
import { nearest } from '../../config/suggest.ts';
import type { CommandInfo } from '../argv/command.ts';
import type { Invocation } from '../argv/run.ts';
import { ExitError } from '../exit.ts';
import { print } from '../output.ts';
import { bashScript } from './bash.ts';
import { placesIn } from './choices.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

const meta: CommandInfo = {
  name: 'completions',
  description: 'Print a script that completes commands and flags in a shell',
  examples: [
    'source <(llmproxy completions bash)   # in ~/.bashrc',
    'source <(llmproxy completions zsh)    # in ~/.zshrc, after compinit',
    'llmproxy completions fish > ~/.config/fish/completions/llmproxy.fish',
  ],
};

export default defineCommand({
  meta,
  args: {
    shell: { type: 'positional', required: true, values: SHELLS, description: SHELLS.join(', ') },
  },
  async run({ args, data }) {
    const { root } = data as Invocation;
    const shell = SHELLS.find((each) => each === args.shell);
    if (shell) return print(SCRIPTS[shell](await placesIn(root)));
    const [close] = nearest(args.shell, SHELLS, 1);
    const hint = close === undefined ? `expected ${SHELLS.join(', ')}` : `did you mean ${close}?`;
    throw new ExitError(2, `Cannot complete in ${args.shell}: ${hint}`);
  },
});
