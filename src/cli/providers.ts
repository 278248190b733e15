import { defineCommand } from 'citty';
import { about } from './argv/command.ts';
import type { CatalogueRow } from '../providers/catalogue.ts';
import type { LoadedPlugin } from '../plugins/loaded.ts';
import { catalogue } from '../providers/catalogue.ts';
import { ExitError } from './exit.ts';
import { print } from './output.ts';
import { CONFIG_FLAG, pluginsIn } from './source.ts';
import { table } from './table.ts';
import { widthOf, wrapped } from './wrap.ts';

export default defineCommand({
  meta: about({
    name: 'providers',
    description: 'List the available provider types, including those of plugins',
    examples: ['llmproxy providers', 'llmproxy providers gemini', 'llmproxy providers --json'],
  }),
  args: {
    type: {
      type: 'positional',
      required: false,
      description: 'Show everything that is known about this type',
    },
    config: CONFIG_FLAG,
    json: { type: 'boolean', description: 'Print the list as JSON' },
  },
  async run({ args }) {
    const { all: plugins } = await pluginsIn(args.config);
    const all = [...catalogue(), ...plugins.flatMap(rowsOf)];
    const rows = args.type === undefined ? all : all.filter(({ type }) => type === args.type);
    if (rows.length === 0)
      throw new ExitError(2, `Cannot show ${args.type}: there is no such type of provider`);
    if (args.json) return print(`${JSON.stringify(rows, null, 2)}\n`);
    print(args.type === undefined ? overview(rows) : details(rows[0]!));
  },
});

/** The provider types that a plugin adds. Everything else is in its code. */
function rowsOf({ name, path, providers }: LoadedPlugin): CatalogueRow[] {
  return providers.map(({ type, endpoints, http }) => ({
    type,
    title: `plugin ${name}`,
    protocol: http ? 'HTTP, by its code' : 'its own code',
    relays: ['what its code says'],
    auth: http ? 'Bearer, or by its code' : 'by its code',
    endpoints,
    drops: [],
    tells_usage: false,
    probe: null,
    list: null,
    tested: path,
  }));
}

function overview(rows: readonly CatalogueRow[]): string {
  const cells = rows.map(({ type, protocol, auth, probe }) => [type, protocol, auth, probe ?? '-']);
  const shown = table(['TYPE', 'PROTOCOL', 'AUTH', 'PROBE'], cells, widthOf(process.stdout));
  return `${shown}\nllmproxy providers TYPE shows more: what passes unchanged, what is left out.\n`;
}

const FIELD_COLUMNS = 11;
const LEAST_COLUMNS = 40;

function details(row: CatalogueRow): string {
  const fields: readonly (readonly [string, string])[] = [
    ['type', row.type],
    ['vendor', row.title],
    ['protocol', row.protocol],
    ['relays', row.relays.join(', ') || 'nothing; everything is translated'],
    ['auth', row.auth],
    ['endpoints', row.endpoints.join(', ')],
    ['left out', row.drops.join(', ') || 'nothing'],
    ['probe', row.probe ?? 'none that is free'],
    ['models', row.list ?? 'no list'],
    ['tested by', row.tested],
  ];
  const columns = Math.max(LEAST_COLUMNS, widthOf(process.stdout)) - FIELD_COLUMNS;
  return fields
    .map(([name, value]) => {
      const [first = '', ...more] = wrapped(value, columns);
      return [
        `${name.padEnd(FIELD_COLUMNS)}${first}`,
        ...more.map((line) => `${' '.repeat(FIELD_COLUMNS)}${line}`),
      ];
    })
    .flat()
    .map((line) => `${line}\n`)
    .join('');
}
