/** Anchors, aliases and merges of a document: what refers to nothing, and what expands to too much. */
import type { Alias, Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isPair, isScalar, isSeq, Scalar } from 'yaml';
import { eachNode } from './each-node.ts';
import type { Fault } from './yaml-faults.ts';

/** The most values of a document with its aliases expanded. */
const MAX_VALUES = 1_000_000;

/** The nodes that aliases stand for. */
type Targets = ReadonlyMap<Alias, Node>;

/** The faults of aliases. */
export interface AliasFaults {
  /** Aliases without an anchor: usually globs without quotes. They keep their text, so that the rest can be checked. */
  readonly lost: readonly Fault[];
  /** Faults that leave the values of the document in doubt. */
  readonly wrong: readonly Fault[];
}

/** Checks all aliases of a document. */
export function checkAliases(document: Document): AliasFaults {
  const lost: Fault[] = [];
  const wrong: Fault[] = [];
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  const merges: Pair[] = [];
  eachNode(document, (node) => {
    if (isMap(node)) merges.push(...node.items.filter(isMerge));
    if (!isAlias(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      return undefined;
    }
    // What an alias stands for is above it.
    const target = anchors.get(node.source);
    if (!target) {
      lost.push(faultAt(node, LOST));
      return textOf(node);
    }
    targets.set(node, target);
    return undefined;
  });
  for (const { key, value } of merges)
    if (!canMerge(value, targets)) wrong.push(faultAt(key, '`<<` takes a map, or the alias of one'));
  if (targets.size > 0 && !(new Sizes(targets).of(document.contents) <= MAX_VALUES))
    wrong.push({ offset: 0, size: 1, message: TOO_MANY });
  return { lost, wrong };
}

// The name is not quoted in the message: it may be part of a secret.
const LOST = '`*` begins an alias in YAML, and there is no such anchor above: a glob must be in quotes';
const TOO_MANY = 'its aliases expand to too many values: write the values instead';

function textOf({ source, range }: Alias): Scalar {
  const text = new Scalar(`*${source}`);
  text.range = range ?? null;
  return text;
}

/** The parser represents the key of a merge by a symbol. */
function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

/** Whether a value is a map or a list of maps. */
function canMerge(value: unknown, targets: Targets): boolean {
  const meant = (node: unknown) => (isAlias(node) ? targets.get(node) : node);
  const source = meant(value);
  return isSeq(source) ? source.items.every((each) => isMap(meant(each))) : isMap(source);
}

function faultAt(node: unknown, message: string): Fault {
  const [offset, end] = (node as Node | null)?.range ?? [0, 1];
  return { offset, size: end - offset, message };
}

/** The number of values that nodes expand to. */
class Sizes {
  readonly #targets: Targets;
  /** Of nodes with an anchor. A node that contains itself expands without end. */
  readonly #known = new Map<unknown, number>();

  constructor(targets: Targets) {
    this.#targets = targets;
  }

  of(node: unknown): number {
    if (isAlias(node)) return this.#ofAnchored(this.#targets.get(node));
    return (node as Node | null)?.anchor === undefined ? this.#within(node) : this.#ofAnchored(node);
  }

  #ofAnchored(node: unknown): number {
    let size = this.#known.get(node);
    if (size !== undefined) return size;
    this.#known.set(node, Infinity);
    this.#known.set(node, (size = this.#within(node)));
    return size;
  }

  #within(node: unknown): number {
    if (isPair(node)) return this.of(node.value);
    let size = 1;
    if (isMap(node) || isSeq(node)) for (const item of node.items as unknown[]) size += this.of(item);
    return size;
  }
}
