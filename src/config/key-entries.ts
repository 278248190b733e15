/**
 * Reads a keys file entry by entry, and remembers the entries: of thousands of keys a change concerns one or two, and reading
 * all of them anew would hold the event loop.
 */
import type { z } from 'zod';
import type { FileKey, KeysFile, Raise } from './auth-schema.ts';
import { fileKey, raise } from './auth-schema.ts';
import { plainYaml } from './plain-yaml.ts';

/** Entries as they were written, and what they are. */
type Known<Entry> = Map<string, Entry>;

let knownKeys: Known<FileKey> = new Map();
let knownRaises: Known<Raise> = new Map();

/** What may name another entry, or be named by one: such a file is read as a whole. */
const SHARED = /(?:^|[\s[{,:])[&*!][^\s,\]}]|<<|^[%?]|^(?:---|\.\.\.)/m;

/**
 * A keys file as `llmproxy keys` writes it.
 * @returns `undefined` where it is written otherwise, or is not valid: then it has to be read as a whole
 */
export function keysFromEntries(text: string): KeysFile | undefined {
  if (SHARED.test(text)) return undefined;
  const sections = sectionsOf(text);
  if (!sections) return undefined;
  const keys = entriesOf(sections.keys, fileKey, knownKeys);
  const raises = entriesOf(sections.raises, raise, knownRaises);
  if (!keys || !raises) return undefined;
  // What is no longer in the file is forgotten.
  knownKeys = keys.known;
  knownRaises = raises.known;
  return { keys: keys.entries, raises: raises.entries };
}

interface Sections {
  /** The entries of each list, as they are written. */
  readonly keys: readonly string[];
  readonly raises: readonly string[];
}

/** The entries of the lists `keys` and `raises`, each with its dash; `undefined` where there is anything else. */
function sectionsOf(text: string): Sections | undefined {
  const sections: { keys?: string[]; raises?: string[] } = {};
  const announced: string[][] = [];
  let entries: string[] | undefined;
  for (const line of text.split('\n')) {
    const last = entries === undefined ? -1 : entries.length - 1;
    if (/^\s*(?:#.*)?$/.test(line)) {
      // Within a text it would be a part of that.
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
  // A list that is announced and does not follow is nothing, which is no list.
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
