import { defineCommand } from 'citty';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandInfo } from './argv/command.ts';
import { about } from './argv/command.ts';
import type { Problem } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';
import { print } from './output.ts';
import { printProblems } from './problems-text.ts';
import { writeWhole } from './write-whole.ts';

/** The schema file that `config init` puts beside the configuration. */
const SCHEMA_FILE = 'llmproxy.schema.json';

const validating: CommandInfo = {
  name: 'validate',
  description:
    'Validate configuration files. Exit status: 0 all are valid, 1 at least one is invalid, 2 wrong usage',
  examples: [
    'llmproxy config validate',
    'llmproxy config validate staging.yaml production.yaml --env-file .env',
    'llmproxy config validate --show',
  ],
};

const validate = defineCommand({
  meta: validating,
  args: {
    files: {
      type: 'positional',
      required: false,
      variadic: true,
      description: 'Files (default: $LLMPROXY_CONFIG, then ./config.yaml)',
    },
    config: { type: 'string', valueHint: 'file', description: 'Another file, as in other commands' },
    json: { type: 'boolean', description: 'Print the result as JSON; a list if there are several files' },
    show: { type: 'boolean', description: 'Print the effective configuration, secrets masked' },
  },
  async run({ args }) {
    const named = [...args._, ...(args.config === undefined ? [] : [args.config])];
    const paths = named.length > 0 ? named : [process.env.LLMPROXY_CONFIG || 'config.yaml'];
    const checked: Checked[] = [];
    for (const path of paths) checked.push(await check(path));
    if (args.json)
      print(`${JSON.stringify(named.length > 1 ? checked.map(reportOf) : reportOf(checked[0]!), null, 2)}\n`);
    else for (const each of checked) await tell(each, args.show === true);
    if (checked.every(({ config }) => config)) return;
    throw new ExitError(1, args.json ? '' : checked.flatMap(failure).join('\n'));
  },
});

/** A file and its problems. */
interface Checked {
  readonly path: string;
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
}

async function check(path: string): Promise<Checked> {
  const { checkedConfig } = await import('./checked-config.ts');
  try {
    const { config, problems, unserved } = await checkedConfig(path);
    // What `serve` would refuse is invalid, even if flags of `serve` could resolve it.
    return { path, config: unserved.length > 0 ? undefined : config, problems: [...problems, ...unserved] };
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}

function reportOf({ path, config, problems }: Checked) {
  return { valid: config !== undefined, file: path, problems };
}

async function tell({ path, config, problems }: Checked, show: boolean): Promise<void> {
  printProblems(problems, path);
  if (config && show) print(await shown(config));
  else if (config)
    print(`${path} is valid${problems.length > 0 ? `, ${counted(problems.length, 'warning')}` : ''}\n`);
}

/** The summary for an invalid file. */
function failure({ path, config, problems }: Checked): string[] {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return config ? [] : [`${path} is not valid: ${counted(errors, 'error')}`];
}

const schema = defineCommand({
  meta: about({
    name: 'schema',
    description: 'Print the JSON Schema of the configuration, for editors',
    examples: ['llmproxy config schema > llmproxy.schema.json'],
  }),
  async run() {
    print(await schemaText());
  },
});

const init = defineCommand({
  meta: about({
    name: 'init',
    description: 'Write a commented configuration file, and its schema next to it',
    examples: ['llmproxy config init', 'llmproxy config init /etc/llmproxy/config.yaml'],
  }),
  args: {
    file: { type: 'positional', required: false, default: 'config.yaml', description: 'File to write' },
    force: { type: 'boolean', description: 'Overwrite an existing file' },
  },
  async run({ args }) {
    const { commentedConfig } = await import('../config/document.ts');
    if (existsSync(args.file) && !args.force) {
      throw new ExitError(1, `Cannot write ${args.file}: it exists, use --force to replace it`);
    }
    writeWhole(join(dirname(args.file), SCHEMA_FILE), await schemaText());
    writeWhole(args.file, commentedConfig(`./${SCHEMA_FILE}`));
    print(`Wrote ${args.file} and ${SCHEMA_FILE}; next: llmproxy serve --config ${args.file}\n`);
  },
});

export default defineCommand({
  meta: {
    name: 'config',
    description: 'Validate, create or import a configuration file, or print its schema',
  },
  subCommands: {
    validate,
    schema,
    init,
    import: async () => (await import('./import/import.ts')).default,
  },
});

async function shown(config: Config): Promise<string> {
  const [{ stringify }, { masked }, { withoutSecrets }] = await Promise.all([
    import('yaml'),
    import('../config/mask.ts'),
    import('./shown.ts'),
  ]);
  const safe = withoutSecrets(masked(config), config);
  return `# durations are in milliseconds, sizes in bytes\n${stringify(safe)}`;
}

async function schemaText(): Promise<string> {
  const { configJsonSchema } = await import('../config/json-schema.ts');
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
