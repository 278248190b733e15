import { defineCommand } from 'citty';
import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { about } from '../argv/command.ts';
import type { LoadedPlugin } from '../../plugins/loaded.ts';
import { declaredPlugins } from '../../config/plugin-types.ts';
import { schema } from '../../config/schema.ts';
import { fileReason } from '../../logs/names.ts';
import { PluginHost } from '../../plugins/host.ts';
import { ExitError } from '../exit.ts';
import { print, printStderr } from '../output.ts';
import { CONFIG_FLAG } from '../source.ts';
import { checkTypes } from './types.ts';

export default defineCommand({
  meta: about({
    name: 'check',
    description:
      'Check the types of plugins and load them for a trial. Exit status: 0 no problem, 1 problems, 2 wrong usage',
    examples: ['llmproxy plugin check', 'llmproxy plugin check local.ts other.ts'],
  }),
  args: {
    files: {
      type: 'positional',
      required: false,
      variadic: true,
      description: 'Plugin files (default: those in the configuration)',
    },
    config: CONFIG_FLAG,
  },
  async run({ args }) {
    const given = args._.map((file) => resolve(file));
    const files = given.length > 0 ? given : namedIn(args.config);
    const missing = files.find((file) => !existsSync(file));
    if (missing !== undefined) throw new ExitError(2, `Cannot check ${missing}: there is no such file`);
    const { errors, failed } = await checkTypes(files);
    for (const error of errors) printStderr(`${error}\n`);
    if (errors.some((error) => /'(?:node|bun):|\(TS25(?:80|84|91)\)/.test(error)))
      printStderr('Types of Bun and Node are missing: BUN_BE_BUN=1 llmproxy add -d bun-types\n');
    if (failed !== undefined) printStderr(`Cannot check types: ${failed}\n`);
    const host = new PluginHost({ env: process.env });
    const limitMs = schema.shape.plugin_timeout.parse(undefined);
    const { all, problems } = await host.load({ paths: files, limitMs });
    for (const { message } of problems) printStderr(`${message}\n`);
    const wrong = errors.length + problems.length + (failed === undefined ? 0 : 1);
    if (wrong > 0) throw new ExitError(1, `${wrong} problem${wrong === 1 ? '' : 's'} found`);
    for (const plugin of all) print(`${relative(process.cwd(), plugin.path)}: ${contributions(plugin)}\n`);
  },
});

function namedIn(flag: string | undefined): readonly string[] {
  const path = flag ?? (process.env.LLMPROXY_CONFIG || 'config.yaml');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(2, `Cannot read ${path}: ${fileReason(cause)}. Name the files to check`);
  }
  const { paths } = declaredPlugins({ path, text }, process.env);
  if (paths.length === 0) throw new ExitError(2, `Cannot check ${path}: it names no plugins`);
  return paths;
}

/** The content of a plugin in words. */
export function contributions({ name, providers, hooks }: LoadedPlugin): string {
  const types = providers.map(({ type }) => `provider type ${type}`);
  const called = Object.keys(hooks ?? {}).filter((key) => key !== 'name');
  const calls = called.length > 0 ? [`hooks ${called.join(', ')}`] : [];
  return `plugin ${name} with ${[...types, ...calls].join(', ')}`;
}
