/**
 * Generates TypeScript declarations of the public API from the sources: interfaces and types unchanged, classes and
 * functions without their bodies. It expects code formatted by `bun fmt`. Declarations marked `@internal` are left out.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FAULTS } from '../src/faults.ts';
import { recordSchema } from '../src/logs/record-schema.ts';
import { ENDPOINT_NAMES } from '../src/wire/endpoints.ts';

interface Source {
  /** The text of each declaration by its name, including comments. */
  readonly declared: ReadonlyMap<string, string>;
  /** The file that each name is imported or re-exported from. */
  readonly imported: ReadonlyMap<string, string>;
  /** The names that the file exports. */
  readonly exported: readonly string[];
}

/** Declarations that only a compiler could derive. */
const COMPUTED: Readonly<Record<string, () => string>> = {
  Endpoint: () => `/** The endpoints that the proxy serves. */\ntype Endpoint = ${union(ENDPOINT_NAMES)};`,
  Fault: () =>
    `/** What may go wrong; docs/failover.md says what follows. */\ntype Fault = ${union(Object.keys(FAULTS))};`,
  Fetch: () => 'type Fetch = (url: URL, init: RequestInit) => Promise<Response>;',
  RequestRecord: () => {
    const node = z.toJSONSchema(recordSchema, { target: 'draft-7' }) as Node;
    return `/** The record of a request, as the request log has it; see docs/log-format.md. */\ninterface RequestRecord ${typeOf(node, '')}`;
  },
};

function union(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(' | ');
}

/** Declarations of all that a file exports. @param known names that another declaration file has, and that file */
export function declarations(
  path: string,
  known: { readonly names: readonly string[]; readonly from: string } = { names: [], from: '' },
): { text: string; exported: readonly string[] } {
  const { exported } = read(path);
  const found = new Map<string, string>();
  const borrowed = new Set<string>();
  const add = (name: string, file: string): void => {
    if (name === 'z' || found.has(name)) return;
    if (known.names.includes(name)) return void borrowed.add(name);
    const source = read(file);
    const text = COMPUTED[name]?.() ?? source.declared.get(name);
    const from = source.imported.get(name);
    if (text === undefined) {
      if (from !== undefined) add(name, from);
      return;
    }
    found.set(name, text);
    for (const [used] of withoutComments(text).matchAll(/\b[A-Z]\w*/g))
      if (used !== name && (source.declared.has(used) || source.imported.has(used))) add(used, file);
  };
  for (const name of exported) add(name, path);
  const all = [...found].map(([name, text]) => (exported.includes(name) ? exportedText(text) : text));
  const imports =
    borrowed.size > 0 ? [`import type { ${[...borrowed].join(', ')} } from '${known.from}';`] : [];
  return { text: `${[...imports, ...all, 'export {};'].join('\n\n')}\n`, exported };
}

/** The text of a declaration, without the comment before it. */
function exportedText(text: string): string {
  return text.replace(/^((?:\/\*\*[\s\S]*?\*\/\n)?)/, '$1export ');
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replaceAll(/'[^']*'/g, "''");
}

const sources = new Map<string, Source>();

function read(path: string): Source {
  let source = sources.get(path);
  if (!source) sources.set(path, (source = parse(readFileSync(path, 'utf8'), dirname(path))));
  return source;
}

function parse(text: string, folder: string): Source {
  const imported = new Map<string, string>();
  const exported: string[] = [];
  for (const [, word, names = '', from = ''] of text.matchAll(
    /^(import|export)(?: type)? \{([^}]*)\} from '(\.[^']+)';/gm,
  )) {
    for (const name of names.split(',').map((each) => each.replace(/^\s*type\s+/, '').trim())) {
      if (name === '') continue;
      imported.set(name, join(folder, from));
      if (word === 'export') exported.push(name);
    }
  }
  const declared = new Map<string, string>();
  const begins =
    /^((?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?)(export )?(abstract class|class|interface|type|function|async function|const) (\w+)/gm;
  for (const match of text.matchAll(begins)) {
    const [, comment = '', isExported, kind = '', name = ''] = match;
    const at = match.index + comment.length + (isExported?.length ?? 0);
    declared.set(name, comment + declaration(kind, text.slice(at)));
    if (isExported) exported.push(name);
  }
  return { declared, imported, exported };
}

/** One declaration. @param rest the source from the first word of the declaration */
function declaration(kind: string, rest: string): string {
  if (kind === 'type') return rest.slice(0, /;\n/.exec(rest)!.index + 1);
  if (kind === 'const') return `declare ${/^[\s\S]*?(?= =)/.exec(rest)![0]};`;
  if (kind.endsWith('function')) {
    const signature = /^[\s\S]*?(?= \{\n)/.exec(rest)![0];
    return `declare ${plain(signature.replace(/^async /, ''))};`;
  }
  const whole = rest.slice(0, /\n\}/.exec(rest)!.index + 2);
  const open = whole.indexOf('{\n');
  const members = membersOf(whole.slice(open + 2, -1)).filter((member) => !member.includes('@internal'));
  if (kind === 'interface') return `${whole.slice(0, open)}{\n${members.join('')}}`;
  const shown = members.flatMap((member) => memberOf(member) ?? []);
  const isSealed = members.some((member) => /^ {2}(?:readonly )?#/m.test(member));
  return `declare ${whole.slice(0, open)}{\n${isSealed ? '  #sealed;\n' : ''}${shown.join('')}}`;
}

/** The members of a body, each with its comment. */
function membersOf(body: string): string[] {
  const members: string[] = [];
  let member = '';
  let inComment = false;
  for (const line of body.split('\n')) {
    if (line === '' && member === '') continue;
    member += `${line}\n`;
    if (/^ {2}\/\*\*/.test(line)) inComment = true;
    if (inComment) {
      if (line.endsWith('*/')) inComment = false;
    } else if (/^ {2}(?:\S.*[;}]|\}.*)$/.test(line) && !/^ {2}\S.*\{$/.test(line)) {
      members.push(member);
      member = '';
    }
  }
  return members;
}

/** A class member without its body; `undefined` for a private member. */
function memberOf(member: string): string | undefined {
  const [, comment = '', code = ''] = /^((?: {2}\/\*\*[\s\S]*?\*\/\n)?)([\s\S]*)$/.exec(member)!;
  if (/^ {2}(?:readonly |async )?#/.test(code)) return undefined;
  const signature = /^[\s\S]*?(?= \{\n)/.exec(code)?.[0] ?? code.replace(/;\n$/, '');
  const words = signature.replace(/^ {2}((?:(?:protected|static) )*)(?:override )?(?:async )?/, '  $1');
  return `${comment}${plain(words)};\n`;
}

/** A signature without the default values of parameters and fields. */
function plain(signature: string): string {
  return signature
    .replaceAll(/(\w+): ([^,()=]+?) = [^,)]+(?=[,)])/g, '$1?: $2')
    .replace(/^( {2}(?:protected )?(?:readonly )?\w+: [^=()]+?) = [\s\S]*$/, '$1');
}

/** A node of a JSON Schema. */
interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
}

const WORDS: Readonly<Record<string, string>> = { integer: 'number', null: 'null' };

function typeOf(node: Node, indent: string): string {
  if (node.anyOf) return node.anyOf.map((each) => typeOf(each, indent)).join(' | ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (node.items) {
    const type = typeOf(node.items, indent);
    return node.items.enum || node.items.anyOf ? `readonly (${type})[]` : `readonly ${type}[]`;
  }
  if (node.properties) {
    const inner = `${indent}  `;
    const fields = Object.entries(node.properties).map(([name, field]) => {
      const comment = field.description === undefined ? '' : `${inner}/** ${field.description} */\n`;
      const isThere = node.required?.includes(name) ?? false;
      return `${comment}${inner}readonly ${name}${isThere ? '' : '?'}: ${typeOf(field, inner)};\n`;
    });
    return `{\n${fields.join('')}${indent}}`;
  }
  if (typeof node.additionalProperties === 'object')
    return `Readonly<Record<string, ${typeOf(node.additionalProperties, indent)}>>`;
  if (node.type === undefined) return 'unknown';
  if (typeof node.type !== 'string') return node.type.map((type) => WORDS[type] ?? type).join(' | ');
  return WORDS[node.type] ?? (node.type === 'object' ? 'Readonly<Record<string, unknown>>' : node.type);
}
