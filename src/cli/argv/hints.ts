/** Suggests what was probably meant by an argument that a command does not accept. */
import { listed } from '../../config/listed.ts';
import { nearest } from '../../config/suggest.ts';
import type { Command, Flag } from './command.ts';
import { allCommands } from './command.ts';

/** A flag as typed. */
export function flagText({ name }: Pick<Flag, 'name'>): string {
  return `--${name}`;
}

/** A suggestion for an unknown flag, to be appended to "unknown flag". */
export function unknownFlagHint(written: string, { names }: Command, known: readonly Flag[]): string {
  const name = written.replace(/^-+/, '').replace(/=.*/s, '').replaceAll('_', '-');
  if (name === 'version') return `, did you mean \`${names[0]} --version\`?`;
  const all = known.map((flag) => flag.name);
  const begun = name.length === 1 ? all.filter((each) => each.startsWith(name.toLowerCase())) : [];
  const [close] = begun.length > 0 ? begun : nearest(name, all, 1);
  if (close !== undefined) return `, did you mean --${close}?`;
  return `; see \`${names.join(' ')} --help\``;
}

/** The flags that take a value of this form. */
const SHAPES: readonly (readonly [shape: RegExp, flags: readonly string[]])[] = [
  [/(?:^|\/)\.env(?:\.[\w-]+)?$|\.env$/, ['env-file']],
  [/\.(?:ya?ml|json)$/i, ['config']],
  [/^(?:https?|unix):|^(?:localhost|[\d.]{7,}|\[[\da-f:]+\])(?::\d+)?$/i, ['url', 'host']],
  [/^\d{1,5}$/, ['port', 'top']],
  [/\/$|^logs?$|\.jsonl?$/i, ['log-dir', 'config']],
];

/** A suggestion for an unexpected argument, to be appended after a colon. */
export function strayHint(stray: string, { names, flags, operands }: Command): string {
  const has = (name: string) => name === 'env-file' || flags.some((flag) => flag.name === name);
  const meant = meantFlag(stray, has) ?? meantSwitch(stray, flags);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const takes =
    operands.length === 0
      ? 'it takes no arguments'
      : `it takes no more than ${operands.map(({ name }) => name).join(' ')}`;
  return stray === '' ? takes : `${takes}; see \`${names.join(' ')} --help\``;
}

/** A flag with the argument as its value. */
function meantFlag(stray: string, has: (name: string) => boolean): string | undefined {
  const [, name, value] = /^([\w-]+)=(.*)$/s.exec(stray) ?? [];
  if (name !== undefined && has(name)) return `--${name} ${value}`;
  for (const [shape, names] of SHAPES) {
    const flag = shape.test(stray) ? names.find(has) : undefined;
    if (flag === 'url' && !/^\w+:\D/.test(stray)) return `--url http://${stray}`;
    if (flag !== undefined) return `--${flag} ${stray}`;
  }
  return undefined;
}

/** A flag without its dashes. */
function meantSwitch(stray: string, flags: readonly Flag[]): string | undefined {
  const flag = flags.find(({ name }) => name === stray.toLowerCase());
  if (!flag) return undefined;
  return flag.value === undefined ? flagText(flag) : `${flagText(flag)} ${flag.value.toUpperCase()}`;
}

/** The names of commands in other programs. */
const SYNONYMS: Readonly<Record<string, string>> = {
  start: 'serve',
  up: 'serve',
  server: 'serve',
  proxy: 'serve',
  status: 'health',
  ping: 'health',
  check: 'config validate',
  lint: 'config validate',
  migrate: 'config import',
  new: 'config init',
  key: 'keys create',
  stats: 'usage',
  cost: 'usage',
  costs: 'usage',
  spend: 'usage',
  dataset: 'export',
  dump: 'export',
  version: '--version',
  completion: 'completions',
};

/** A suggestion for an unknown command, to be appended to "unknown command". */
export async function unknownCommandHint(name: string, parent: Command, root: Command): Promise<string> {
  const known = parent.subCommands;
  const isTop = parent.names.length === 1;
  const [close] = nearest(name, known, 1);
  const deeper = async (): Promise<string | undefined> => {
    const all = await allCommands(root);
    return all
      .find(({ names }) => names.length > 1 && names.at(-1) === name)
      ?.names.slice(1)
      .join(' ');
  };
  const synonym = SYNONYMS[name.toLowerCase()];
  const path =
    close === undefined ? ((await deeper()) ?? synonym) : [...parent.names.slice(1), close].join(' ');
  if (path !== undefined) return `, did you mean \`${root.names[0]} ${path}\`?`;
  return `: expected ${listed(known)}; see \`${isTop ? `${parent.names[0]} help` : `${parent.names.join(' ')} --help`}\``;
}
