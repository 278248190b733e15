import type { Document, Node } from 'yaml';
import { isMap, isSeq } from 'yaml';

/**
 * Called with each node of a document, a collection before its items.
 * @param isKey whether it is the key of a pair
 * @returns what to put in its place, if anything
 */
type See = (node: Node, isKey: boolean) => Node | undefined;

/** Visits all nodes. It is several times as fast as `visit` of the parser, which records the way to each. */
export function eachNode(document: Document, see: See): void {
  document.contents = seen(document.contents, false, see) as Document['contents'];
}

function within(parent: unknown, see: See): void {
  if (isMap(parent))
    for (const pair of parent.items) {
      pair.key = seen(pair.key, true, see);
      pair.value = seen(pair.value, false, see);
    }
  else if (isSeq(parent))
    for (const [index, item] of parent.items.entries()) parent.items[index] = seen(item, false, see);
}

function seen(node: unknown, isKey: boolean, see: See): unknown {
  // A key without a value has none.
  if (node === null || node === undefined) return node;
  const found = see(node as Node, isKey) ?? node;
  within(found, see);
  return found;
}
