import { defineCommand } from 'citty';
import type { CommandInfo } from './argv/command.ts';
import type { Invocation } from './argv/run.ts';
import { helpText } from './help.ts';
import { print } from './output.ts';

const meta: CommandInfo = {
  name: 'help',
  description: 'Show what a command does, with its flags and examples',
  examples: ['llmproxy help', 'llmproxy help serve', 'llmproxy help keys create'],
};

export default defineCommand({
  meta,
  args: {
    command: {
      type: 'positional',
      required: false,
      variadic: true,
      description: 'The command, and its subcommand (default: list all)',
    },
  },
  async run({ args, data }) {
    const { commandAt } = data as Invocation;
    print(`${await helpText(await commandAt(args._))}\n`);
  },
});
