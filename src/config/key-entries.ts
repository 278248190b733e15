/**
 * Reads a keys file entry by entry, and caches the entries: a change concerns one or two keys out of thousands, and
 * parsing all of them again would block the event loop.
 */
import type { z } from 'zod';
import type { FileKey, KeysFile, Raise } from './schema/auth.ts';
import { fileKey, raise } from './schema/auth.ts';
import { plainYaml } from './plain-yaml.ts';

/** Entries by their text, with their parsed values. */
type Known<Entry> = Map<string, Entry>;

let knownKeys: Known<FileKey> = new Map();
let knownRaises: Known<Raise> = new Map();

/** Fields by which entries refer to each other: a file with one of them is parsed as a whole. */
const SHARED = /(?:^|[\s[{,:])[&*!][^\s,\]}]|<<|^[%?]|^(?:---|\.\.\.)/m;

/**
 * Parses a keys file in the form in which `llmproxy keys` writes it.
 * @returns `undefined` if it is written differently or is invalid: it must be parsed as a whole then
 */
export function keysFromEntries(text: string): KeysFile | undefined {
  if (SHARED.test(text)) return undefined;
  const sections = sectionsOf(text);
  if (!sections) return undefined;
  const keys = entriesOf(sections.keys, fileKey, knownKeys);
  const raises = entriesOf(sections.raises, raise, knownRaises);
  if (!keys || !raises) return undefined;
  // Entries that are no longer in the file are dropped.
  knownKeys = keys.known;
  knownRaises = raises.known;
  return { keys: keys.entries, raises: raises.entries };
}

interface Sections {
  /** The texts of the entries in each list. */
  readonly keys: readonly string[];
  readonly raises: readonly string[];
}

/** The entries of the lists `keys` and `raises`, each with its dash; `undefined` if there is anything else. */
function sectionsOf(text: string): Sections | undefined {
  const sections: { keys?: string[]; raises?: string[] } = {};
  const announced: string[][] = [];
  let entries: string[] | undefined;
  for (const line of text.split('\n')) {
    const last = entries === undefined ? -1 : entries.length - 1;
    if (/^\s*(?:#.*)?$/.test(line)) {
      // Inside a block scalar it would be part of the text.
      if (last >= 0) entries![last] += `\n${line}`;
      continue;
    }
    const [, name, empty] = /^(keys|raises):[ \t]*(\[[ \t]*\])?[ \t]*(?:#.*)?\r?$/.exec(line) ?? [];
    if (name !== undefined) {
      if (sections[name as keyof Sections]) return undefined;
      const list: string[] = [];
      sections[name as keyof Sections] = list;
      entries = empty === undefined ? list : undefined;
      if (entries) announced.push(entries);
    } else if (entries && line.startsWith('  - ')) entries.push(line);
    else if (last >= 0 && line.startsWith('    ')) entries![last] += `\n${line}`;
    else return undefined;
  }
  // A key without a list below it has the value null, which is not a list.
  if (!sections.keys || announced.some((list) => list.length === 0)) return undefined;
  return { keys: sections.keys, raises: sections.raises ?? [] };
}

function entriesOf<Entry>(
  written: readonly string[],
  schema: z.ZodType<Entry>,
  before: Known<Entry>,
): { readonly entries: Entry[]; readonly known: Known<Entry> } | undefined {
  const known: Known<Entry> = new Map();
  const entries: Entry[] = [];
  for (const text of written) {
    const entry = before.get(text) ?? entryOf(text, schema);
    if (entry === undefined) return undefined;
    known.set(text, entry);
    entries.push(entry);
  }
  return { entries, known };
}

function entryOf<Entry>(text: string, schema: z.ZodType<Entry>): Entry | undefined {
  const value = plainYaml(text)?.value;
  return Array.isArray(value) && value.length === 1 ? schema.safeParse(value[0]).data : undefined;
}
