/** The keys file as an editable document: comments, order and everything else in it are preserved. */
import type { Document, Node } from 'yaml';
import { isCollection, isMap, isScalar, isSeq, parseDocument, YAMLMap, YAMLSeq } from 'yaml';

const HEADER = ` Keys of llmproxy. It holds hashes and no secrets. \`llmproxy keys\` writes it and keeps
 comments; a running llmproxy reads it again when it changes.`;

type Fields = Readonly<Record<string, unknown>>;

export class KeysDocument {
  readonly #document: Document;

  /** @param text of a valid keys file; `undefined` for a new one */
  constructor(text: string | undefined) {
    this.#document = parseDocument(text ?? '');
    if (text === undefined) this.#document.commentBefore = HEADER;
    if (!isMap(this.#document.contents)) this.#document.contents = new YAMLMap();
  }

  addKey(fields: Fields): void {
    this.#add('keys', fields);
  }

  addRaise(fields: Fields): void {
    this.#add('raises', fields);
  }

  /** Sets fields of a key, and removes those that are `undefined`. */
  changeKey(name: string, fields: Fields): void {
    const index = this.#list('keys').items.findIndex((item) => named(item, 'name', name));
    for (const [field, value] of Object.entries(fields)) {
      const path = ['keys', index, field];
      if (value === undefined) this.#document.deleteIn(path);
      else this.#document.setIn(path, this.#node(value));
    }
  }

  /** Removes a key, and the raises of its limits. */
  removeKey(name: string): void {
    this.#keep('keys', (item) => !named(item, 'name', name));
    this.#keep('raises', (item) => !named(item, 'key', name));
  }

  /** Keeps only the raises whose `until` passes a test. */
  keepRaises(test: (until: string) => boolean): void {
    this.#keep('raises', (item) => !isMap(item) || test(String(item.get('until'))));
  }

  toString(): string {
    return this.#document.toString({ lineWidth: 0 });
  }

  #add(list: 'keys' | 'raises', fields: Fields): void {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const map = new YAMLMap();
    for (const [name, value] of given) map.set(name, this.#node(value));
    const items = this.#list(list);
    // Flow style would put all of them on one line.
    if (items.items.length === 0) items.flow = false;
    items.add(map);
  }

  #keep(list: 'keys' | 'raises', test: (item: unknown) => boolean): void {
    if (!this.#document.has(list)) return;
    const items = this.#list(list);
    items.items = items.items.filter(test);
    if (items.items.length === 0) items.flow = true;
  }

  #list(name: 'keys' | 'raises'): YAMLSeq {
    const found = this.#document.get(name, true) as Node | undefined;
    if (isSeq(found)) return found;
    const made = new YAMLSeq();
    this.#document.set(name, made);
    return made;
  }

  /** A value in the usual notation: lists and maps within a key are on one line. */
  #node(value: unknown): Node {
    const node = this.#document.createNode(value) as Node;
    if (isCollection(node)) node.flow = true;
    return node;
  }
}

function named(item: unknown, field: string, name: string): boolean {
  if (!isMap(item)) return false;
  const value = item.get(field, true);
  return isScalar(value) && value.value === name;
}
