import type { Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import type { Problem } from './problems.ts';
import { isCollection, isMap, isNode, isScalar, isSeq } from 'yaml';
import { shownSource } from './problems.ts';

export type Path = readonly PropertyKey[];

interface Parsed {
  readonly document: Document;
  readonly counter: LineCounter;
}

/**
 * Finds the positions of values and keys in a YAML document, for messages. A file may have thousands of mistakes, on one
 * line and in one map: neither is searched again for each of them.
 */
export class Positions {
  readonly #parse: () => Parsed;
  readonly #text: string;
  #parsed: (Parsed & { readonly lines: readonly string[] }) | undefined;
  /** Lines as they may be shown, by number. */
  readonly #shown = new Map<number, string>();
  /** The pairs of maps, by key. */
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  /** @param parse returns the document; called when a position is first needed */
  constructor(parse: () => Parsed, text: string) {
    this.#parse = parse;
    this.#text = text;
  }

  /** A problem at the value of a path, or at the nearest existing ancestor. */
  atValue(
    path: Path,
    message: string,
    options: { hint?: string; severity?: Problem['severity'] } = {},
  ): Problem {
    const node = this.#node(path);
    return this.at(path, node?.range?.[0] ?? 0, isScalar(node) ? length(node) : 1, message, options);
  }

  /** A problem at a key. */
  atKey(path: Path, key: string, message: string, hint?: string): Problem {
    const map = this.#node(path);
    const pair = isMap(map) ? this.#pairsOf(map).get(key) : undefined;
    const node = pair && isNode(pair.key) ? pair.key : undefined;
    const size = node ? length(node) : key.length;
    return this.at([...path, key], node?.range?.[0] ?? 0, size, message, { hint });
  }

  /** A problem at an offset in the text. */
  at(
    path: Path,
    offset: number,
    size: number,
    message: string,
    { hint, severity = 'error' }: { hint?: string | undefined; severity?: Problem['severity'] } = {},
  ): Problem {
    const { line, col } = this.#read().counter.linePos(offset);
    const place = { line: Math.max(1, line), column: Math.max(1, col) };
    const source = this.#source(place.line);
    return { severity, path: pathText(path), message, hint, ...place, length: size, source };
  }

  /** The value as written, before the schema parsed it. */
  value(path: Path): unknown {
    const node = this.#node(path);
    return isScalar(node) ? node.value : undefined;
  }

  #read(): Parsed & { readonly lines: readonly string[] } {
    this.#parsed ??= { ...this.#parse(), lines: this.#text.split(/\r?\n/) };
    return this.#parsed;
  }

  /** @param line its number, from 1 */
  #source(line: number): string {
    let shown = this.#shown.get(line);
    if (shown === undefined) this.#shown.set(line, (shown = shownSource(this.#read().lines[line - 1] ?? '')));
    return shown;
  }

  #node(path: Path): Node | undefined {
    let node: unknown = this.#read().document.contents;
    let found: Node | undefined;
    for (let depth = 0; isScalar(node) || isCollection(node); depth += 1) {
      found = node;
      if (depth === path.length) break;
      node = this.#within(node, path[depth]!);
    }
    return found;
  }

  #within(node: Node, part: PropertyKey): unknown {
    if (isSeq(node)) return typeof part === 'number' ? node.items[part] : undefined;
    return isMap(node) ? this.#pairsOf(node).get(String(part))?.value : undefined;
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    let pairs = this.#pairs.get(map);
    if (!pairs) {
      // Of a key given twice, the first counts.
      const entries = map.items.toReversed().flatMap((pair): [string, Pair][] => {
        return isScalar(pair.key) ? [[String(pair.key.value), pair]] : [];
      });
      this.#pairs.set(map, (pairs = new Map(entries)));
    }
    return pairs;
  }
}

function length(node: Node): number {
  const [start, end] = node.range ?? [0, 1];
  return Math.max(1, end - start);
}

/** Formats a path: `providers[1].timeout`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`,
    )
    .join('');
}
