import { defineCommand } from 'citty';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';
import { print, useColor } from './output.ts';

/** The schema file that `config init` puts beside the configuration. */
const SCHEMA_FILE = 'llmproxy.schema.json';

const validate = defineCommand({
  meta: { name: 'validate', description: 'Check a configuration file. Exit 0 valid, 1 not, 2 usage' },
  args: {
    file: {
      type: 'positional',
      required: false,
      description: 'File (default: $LLMPROXY_CONFIG, then ./config.yaml)',
    },
    json: { type: 'boolean', description: 'Print the result as JSON' },
    show: { type: 'boolean', description: 'Print the effective configuration, secrets masked' },
  },
  async run({ args }) {
    const { loadConfig } = await import('../config/load.ts');
    const { declaredPlugins } = await import('../config/plugin-types.ts');
    const { PluginHost } = await import('../plugins/host.ts');
    const { readIfThere } = await import('../config/manager.ts');
    const { formatProblems } = await import('../config/problems.ts');
    const path = args.file ?? (process.env.LLMPROXY_CONFIG || 'config.yaml');
    const source = { path, text: readText(path) };
    const host = new PluginHost({ env: process.env });
    const plugins = await host.load(declaredPlugins(source, process.env));
    const readPem = (pem: string): string => readFileSync(pem, 'utf8');
    const { config, problems } = loadConfig({
      ...source,
      env: process.env,
      readKeys: readIfThere,
      readPem,
      plugins,
    });
    if (args.json)
      print(`${JSON.stringify({ valid: config !== undefined, file: path, problems }, null, 2)}\n`);
    else if (problems.length > 0) {
      process.stderr.write(`${formatProblems(problems, { path, color: useColor(process.stderr) })}\n`);
    }
    if (config && args.show) print(await shown(config));
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    const warnings = problems.length - errors;
    if (!config) throw new ExitError(1, args.json ? '' : `${path} is not valid: ${counted(errors, 'error')}`);
    if (!args.json && !args.show)
      print(`${path} is valid${warnings > 0 ? `, ${counted(warnings, 'warning')}` : ''}\n`);
  },
});

const schema = defineCommand({
  meta: { name: 'schema', description: 'Print the JSON Schema of the configuration, for editors' },
  async run() {
    print(await schemaText());
  },
});

const init = defineCommand({
  meta: { name: 'init', description: 'Write a commented configuration file, and its schema beside it' },
  args: {
    file: { type: 'positional', required: false, default: 'config.yaml', description: 'File to write' },
    force: { type: 'boolean', description: 'Replace a file that exists' },
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
  meta: { name: 'config', description: 'Check, explain or begin a configuration file' },
  subCommands: { validate, schema, init },
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}

async function shown(config: Config): Promise<string> {
  const [{ stringify }, { masked }, { withoutSecrets }] = await Promise.all([
    import('yaml'),
    import('../config/mask.ts'),
    import('./shown.ts'),
  ]);
  const safe = withoutSecrets(masked(config), config);
  return `# spans of time are milliseconds, sizes are bytes\n${stringify(safe)}`;
}

async function schemaText(): Promise<string> {
  const { configJsonSchema } = await import('../config/json-schema.ts');
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** All of the file or nothing. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    throw new ExitError(1, `Cannot write ${path}: ${fileReason(cause)}`);
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
