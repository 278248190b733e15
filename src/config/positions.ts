import type { Document, LineCounter, Node, Pair } from 'yaml';
import type { Problem } from './problems.ts';
import { isCollection, isMap, isNode, isScalar } from 'yaml';
import { shownSource } from './problems.ts';

export type Path = readonly PropertyKey[];

interface Parsed {
  readonly document: Document;
  readonly counter: LineCounter;
}

/** Finds the positions of values and keys in a YAML document, for messages. */
export class Positions {
  readonly #parse: () => Parsed;
  readonly #text: string;
  #parsed: (Parsed & { readonly lines: readonly string[] }) | undefined;

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
    const pair = isMap(map) ? map.items.find((item) => keyText(item) === key) : undefined;
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
    const { counter, lines } = this.#read();
    const { line, col } = counter.linePos(offset);
    const place = { line: Math.max(1, line), column: Math.max(1, col) };
    const source = shownSource(lines[place.line - 1] ?? '');
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

  #node(path: Path): Node | undefined {
    const { document } = this.#read();
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && (isScalar(node) || isCollection(node))) return node;
    }
    return undefined;
  }
}

function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
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
