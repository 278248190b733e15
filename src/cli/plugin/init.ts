import { defineCommand } from 'citty';
import { about } from '../argv/command.ts';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileReason } from '../../logs/names.ts';
import { ExitError } from '../exit.ts';
import { print } from '../output.ts';
import { compilerOptions, example, KIT_FOLDER, writeKit } from './kit.ts';

export default defineCommand({
  meta: about({
    name: 'init',
    description: 'Write a sample plugin, its test, and the types and code that editors and tests need',
    examples: ['llmproxy plugin init', 'llmproxy plugin init plugins/'],
  }),
  args: {
    dir: { type: 'positional', required: false, default: '.', description: 'Directory to write to' },
  },
  run({ args }) {
    const { dir } = args;
    const tsconfig = {
      compilerOptions: compilerOptions(`./${KIT_FOLDER}`),
      exclude: [KIT_FOLDER, '**/*.test.ts', 'node_modules'],
    };
    try {
      mkdirSync(dir, { recursive: true });
      // These belong to the version of this program and are overwritten.
      writeKit(join(dir, KIT_FOLDER), { code: true });
      tell(join(dir, KIT_FOLDER), 'the types of this version, and its code for tests');
      writeNew(join(dir, 'local.ts'), example('local.ts'));
      writeNew(join(dir, 'local.test.ts'), example('local.test.ts'));
      writeNew(join(dir, 'tsconfig.json'), `${JSON.stringify(tsconfig, null, 2)}\n`);
    } catch (cause) {
      throw new ExitError(1, `Cannot write to ${dir}: ${fileReason(cause)}`);
    }
    print(`Next: plugins: [${join(dir, 'local.ts')}] in config.yaml, then llmproxy plugin check\n`);
  },
});

function writeNew(path: string, text: string): void {
  if (existsSync(path)) return tell(path, 'left as it is');
  writeFileSync(path, text);
  tell(path, 'written');
}

function tell(path: string, what: string): void {
  print(`${path}: ${what}\n`);
}
