import type { SchemaNode } from './json-schema.ts';
import { configJsonSchema } from './json-schema.ts';

/** One key, as the reference and the commented file present it. */
export interface Entry {
  readonly key: string;
  readonly type: string;
  /** The default in the notation of the file, or `undefined` when there is none. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly meaning: string;
  readonly children: readonly Entry[];
  /** Whether the value is a list of objects with the children as keys. */
  readonly list: boolean;
}

/** The keys of the configuration in the order of the schema. */
export function entries(node: SchemaNode = configJsonSchema()): Entry[] {
  const object = objectBranch(node);
  return Object.entries(object?.properties ?? {}).map(([key, child]) => {
    const list = listBranch(child);
    const named = namedBranch(child);
    return {
      key,
      type: typeText(child),
      fallback: fallbackText(child),
      required: object?.required?.includes(key) ?? false,
      meaning: child.description ?? '',
      children: named
        ? [{ ...leaf(named), key: '<name>', children: entries(named) }]
        : entries(list?.items ?? child),
      list: list !== undefined,
    };
  });
}

/** The keys of the values in a map whose own keys are chosen by the user, such as the routes under `models`. */
function namedBranch({ additionalProperties: node }: SchemaNode): SchemaNode | undefined {
  return typeof node === 'object' && objectBranch(node) ? node : undefined;
}

function leaf(node: SchemaNode): Omit<Entry, 'key' | 'children'> {
  return {
    type: typeText(node),
    fallback: undefined,
    required: false,
    meaning: node.description ?? '',
    list: false,
  };
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node];
}

function objectBranch(node: SchemaNode): SchemaNode | undefined {
  return branches(node).find(({ properties }) => properties);
}

function listBranch(node: SchemaNode): SchemaNode | undefined {
  return branches(node).find(({ items }) => items && objectBranch(items));
}

function isDuration(node: SchemaNode): boolean {
  return branches(node).some(({ pattern }) => pattern?.includes('(ms|s|m|h|d)') ?? false);
}

function isSize(node: SchemaNode): boolean {
  return branches(node).some(({ pattern }) => pattern?.includes('KiB') ?? false);
}

function typeText(node: SchemaNode): string {
  if (node.enum) return node.enum.map(String).join(' | ');
  if (node.const !== undefined) return String(node.const);
  if (isDuration(node)) return node.anyOf && objectBranch(node) ? 'duration | object' : 'duration';
  if (isSize(node)) return 'size';
  if (node.anyOf) return [...new Set(node.anyOf.flatMap((each) => typeText(each).split(' | ')))].join(' | ');
  if (node.items) return `list of ${typeText(node.items).replaceAll(' | ', ' or ')}`;
  if (node.type === 'object' && typeof node.additionalProperties === 'object') return 'map';
  const bounds = node.minimum !== undefined && node.maximum !== undefined && node.maximum < 1e9;
  return `${[node.type ?? 'any'].flat().join(' | ')}${bounds ? ` ${node.minimum} to ${node.maximum}` : ''}`;
}

function fallbackText(node: SchemaNode): string | undefined {
  const { default: fallback } = node;
  if (fallback === undefined || (objectBranch(node) && typeof fallback === 'object')) return undefined;
  return JSON.stringify(fallback);
}

/** Generates docs/config.md: a section for each key, with a table of the keys below it. */
export function reference(): string {
  const sections = entries().map((entry) => {
    const rows = flatten(entry.children, '');
    const head = `## ${entry.key}\n\n${entry.meaning}\n`;
    if (rows.length === 0)
      return `${head}\nType: ${cell(entry.type)}. Default: ${entry.fallback ?? 'none'}.\n`;
    const table = rows.map(([key, { type, fallback, required, meaning }]) => {
      const shown = required ? 'required' : (fallback ?? '');
      return `| \`${key}\` | ${cell(type)} | ${shown === '' || required ? shown : `\`${cell(shown)}\``} | ${cell(meaning)} |`;
    });
    return `${head}\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${table.join('\n')}\n`;
  });
  return sections.join('\n');
}

function flatten(list: readonly Entry[], prefix: string): [string, Entry][] {
  return list.flatMap((entry) => {
    const name = prefix + entry.key + (entry.list ? '[]' : '');
    return [[name, entry] as [string, Entry], ...flatten(entry.children, `${name}.`)];
  });
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

const WIDTH = 100;

const PROVIDERS = `providers:
  - name: mock # answers without a key: models mock, mock-echo, mock-anything
    type: mock
  # - name: openai
  #   type: openai
  #   api_key_env: OPENAI_API_KEY
  # - name: anthropic
  #   type: anthropic
  #   api_key_env: ANTHROPIC_API_KEY
  #   priority: 2
  # - name: local
  #   type: ollama # http://localhost:11434/v1
  #   models: ["*"]`;

const MODELS = `# models:
#   fast: openai/gpt-4o-mini
#   "claude-*": [anthropic/claude-*, openai/gpt-4o] # whatever Claude Code requests
#   smart:
#     - anthropic/claude-sonnet-4-5
#     - openai/gpt-4o
#   steady:
#     targets: [anthropic/claude-sonnet-4-5, openai/gpt-4o]
#     resume: on # continue a broken stream at the other target, which charges for the prompt again`;

/**
 * Generates a commented config.yaml: required keys are set, all others are comments with their defaults.
 * @param schemaPath path of the JSON Schema, for editors
 */
export function commentedConfig(schemaPath: string): string {
  const parts = entries().map((entry) => {
    const meaning = comment(entry.meaning, '');
    if (entry.key === 'providers') return `${meaning}\n${PROVIDERS}\n${block(entry.children, '#     ')}`;
    if (entry.key === 'models') return `${meaning}\n${MODELS}`;
    if (entry.key === 'auth')
      return `${meaning}\n# auth:\n#   keys:\n#     - name: alice\n#       key_env: ALICE_KEY\n#   keys_file: keys.yaml # further keys, which \`llmproxy keys create NAME\` creates`;
    if (entry.key === 'plugins')
      return `${meaning}\n# plugins: [./local.ts] # \`llmproxy plugin init\` writes a sample`;
    if (entry.children.length === 0)
      return `${meaning}\n# ${entry.key}: ${entry.fallback ?? `<${entry.type}>`}`;
    return `${meaning}\n# ${entry.key}:\n${block(entry.children, '#   ')}`;
  });
  return `# yaml-language-server: $schema=${schemaPath}\n# llmproxy configuration. Every key is explained in docs/config.md; \`llmproxy config validate\` checks it.\n\n${parts.join('\n\n')}\n`;
}

function block(list: readonly Entry[], indent: string): string {
  return list
    .filter(({ key }) => !['name', 'type'].includes(key) || indent === '#   ')
    .map(({ key, fallback, meaning, type, children, list: isList }) => {
      const nested = children.length > 0 && !isList && fallback === undefined && type === 'object';
      const value = nested ? '' : ` ${fallback ?? `<${type}>`}`;
      const text = `${comment(meaning, indent.slice(1))}\n${indent}${key}:${value}`;
      return nested ? `${text}\n${block(children, `${indent}  `)}` : text;
    })
    .join('\n');
}

/** Formats a text as comment lines of limited width. */
function comment(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length + 4 > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => `#${indent || ' '}${indent ? '# ' : ''}${each}`).join('\n');
}
