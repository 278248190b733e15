/** Writes a draft as the text of a configuration, with notes as comments in their places. */
import type { Node } from 'yaml';
import { Document, isCollection, isMap, isNode, isSeq, visit } from 'yaml';
import { masker } from '../../logs/redact.ts';
import type { Draft, DraftProvider, DraftRoute } from './draft.ts';
import type { Left } from './given.ts';
import { removeInvalid } from './remove-invalid.ts';

/** Longer comments are wrapped. */
const COLUMNS = 100;

/** The source of an import. */
export interface About {
  /** The program that the configuration is from. */
  readonly title: string;
  /** The file name without directories. */
  readonly file: string;
}

/** The order of the sections. */
const SECTIONS = [
  'server',
  'auth',
  'providers',
  'models',
  'prices',
  'routing',
  'groups',
  'rate_limits',
  'limits',
  'health',
  'logging',
];

/** @param left what has no counterpart; each entry becomes a comment */
export function draftText(draft: Draft, left: readonly string[], { title, file }: About): string {
  const mask = masker(draft.keys.secrets);
  const all: Record<string, unknown> = Object.fromEntries(draft.sections);
  all.providers = draft.providers.map(providerValue);
  if (draft.routes.size > 0)
    all.models = Object.fromEntries([...draft.routes].map(([name, route]) => [name, routeValue(route)]));
  const known = SECTIONS.filter((name) => name in all).map((name) => [name, all[name]] as const);
  const document = new Document(Object.fromEntries(known));
  flattened(document, mask);
  for (const [index, { notes }] of draft.providers.entries())
    comment(document.getIn(['providers', index], true), [...notes].map(mask));
  for (const [name, { notes }] of draft.routes) commentKey(document, mask(name), notes.map(mask));
  const head = [
    `Made by \`llmproxy config import\` from ${file}, a configuration of ${title}.`,
    ...draft.notes,
  ];
  const gone = [...left, ...removeInvalid(document)];
  if (!document.hasIn(['providers', 0])) {
    head.push('None of its models could be converted: the built-in mock takes their place.');
    document.setIn(['providers'], document.createNode([{ name: 'mock', type: 'mock' }]));
    // A reference to a removed entry would be invalid.
    gone.push(...removeInvalid(document));
  }
  const lost = gone.length > 0 ? ['Not imported:', ...gone.map((line) => `- ${line}`)] : [];
  document.commentBefore = lines([...head, ...(lost.length > 0 ? ['', ...lost] : [])].map(mask));
  return `${document.toString({ lineWidth: 0 }).trimEnd()}\n`;
}

/** What was not converted, each kind once. @param reasons why, by the path without indices */
export function leftLines(left: readonly Left[], reasons: Readonly<Record<string, string>>): string[] {
  const groups = new Map<string, { count: number; shown: Set<string> }>();
  for (const { path, shown } of left) {
    const group = groups.get(path) ?? { count: 0, shown: new Set<string>() };
    group.count += 1;
    if (shown !== undefined) group.shown.add(shown);
    groups.set(path, group);
  }
  return [...groups].map(([path, { count, shown }]) => {
    const values = shown.size > 0 && shown.size <= 3 ? ` (${[...shown].join('; ')})` : '';
    const times = count > 1 ? `, ${count} times` : '';
    return `${path}${values}${times}: ${reasonFor(path, reasons)}`;
  });
}

function reasonFor(path: string, reasons: Readonly<Record<string, string>>): string {
  for (let at = path; at !== ''; at = at.replace(/\.?[^.]*$/, '')) {
    const reason = reasons[at];
    if (reason !== undefined) return reason;
  }
  const last = path.split('.').at(-1)!;
  return reasons[`*.${last}`] ?? 'it has no counterpart';
}

function providerValue({ name, fields, models }: DraftProvider) {
  const { type, ...rest } = fields;
  const list = [...models].map(([model, more]) =>
    Object.keys(more).length === 0 ? model : { name: model, ...more },
  );
  return { name, type, ...rest, ...(list.length > 0 ? { models: list } : {}) };
}

function routeValue({ targets, weighted, policy }: DraftRoute) {
  const plain = targets.map(({ target, weight }) =>
    weighted && weight !== undefined ? { target, weight } : target,
  );
  if (weighted || Object.keys(policy).length > 0)
    return { targets: plain, ...(weighted ? { strategy: 'weighted' } : {}), ...policy };
  return plain.length === 1 ? plain[0] : plain;
}

/** Models, targets and limits are written on one line. */
function flattened(document: Document, mask: (text: string) => string): void {
  visit(document, {
    Scalar(key, node) {
      if (typeof node.value !== 'string') return;
      const safe = mask(node.value);
      node.value = key === 'key' ? safe : written(safe);
    },
    Collection(_, node, path) {
      const depth = path.filter(isCollection).length;
      const own = isMap(path.find(isMap)) ? depth : 0;
      const short = isSeq(node)
        ? node.items.every((item) => !isCollection(item)) && node.items.length <= 4
        : true;
      if (own >= 3 && short) node.flow = true;
    },
  });
}

/** Variables get a fallback, so that the file is valid before they are set; any other `${` is escaped. */
function written(text: string): string {
  return text.replaceAll(/\$\{(?:(\w+)\}|(?=\w+:-)|)/g, (match, name: string | undefined, at: number) => {
    if (name !== undefined) return `\${${name}:-unset}`;
    return /^\$\{\w+:-[^}]*\}/.test(text.slice(at)) ? match : `$${match}`;
  });
}

function comment(node: unknown, notes: readonly string[]): void {
  if (isNode(node) && notes.length > 0) node.commentBefore = lines(notes);
}

function commentKey(document: Document, name: string, notes: readonly string[]): void {
  if (notes.length === 0) return;
  const models = document.get('models', true);
  const pair = isMap(models) ? models.items.find(({ key }) => String(key) === name) : undefined;
  if (pair && isNode(pair.key)) (pair.key as Node).commentBefore = lines(notes);
}

/** A comment as lines within the width. Lists keep their indentation. */
function lines(texts: readonly string[]): string {
  return texts
    .flatMap(wrappedText)
    .map((line) => (line === '' ? '' : ` ${line}`))
    .join('\n');
}

function wrappedText(text: string): string[] {
  const indent = text.startsWith('- ') ? '  ' : '';
  const found: string[] = [''];
  for (const word of text.split(/\s+/)) {
    const last = found.at(-1)!;
    if (last !== '' && last.trim() !== '' && last.length + word.length + 1 > COLUMNS)
      found.push(`${indent}${word}`);
    else found[found.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return found;
}
