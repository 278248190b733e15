/**
 * JSON as a tree that can express what no JavaScript value can: duplicate names, numbers out of range, invalid text.
 */
export type Node = { fields: [name: string, value: Node][] } | { items: Node[] } | { text: string };

/** @param value anything that `JSON.stringify` accepts */
export function treeOf(value: unknown): Node {
  if (Array.isArray(value)) return { items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return { text: JSON.stringify(value) ?? 'null' };
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  return { fields: fields.map(([name, each]) => [name, treeOf(each)]) };
}

/** The tree as JSON text, or as nearly valid JSON. */
export function writeTree(node: Node): string {
  if ('text' in node) return node.text;
  if ('items' in node) return `[${node.items.map(writeTree).join(',')}]`;
  return `{${node.fields.map(([name, value]) => `${JSON.stringify(name)}:${writeTree(value)}`).join(',')}}`;
}

/** The place of a value: how to read it, and how to replace it with none or several others. */
export interface Place {
  /** The name of the field, or of the nearest enclosing one. */
  readonly name: string;
  readonly node: Node;
  readonly replace: (...nodes: Node[]) => void;
}

/** Every place below the root, outer ones first. */
export function placesIn(root: Node, name = ''): Place[] {
  if ('text' in root) return [];
  const list: (Node | [string, Node])[] = 'items' in root ? root.items : root.fields;
  return list.flatMap((each): Place[] => {
    const [own, node]: [string, Node] = Array.isArray(each) ? each : [name, each];
    const replace = (...nodes: Node[]): void => {
      const at = list.indexOf(each);
      if (at < 0) return;
      const wrapped = Array.isArray(each) ? nodes.map((one): [string, Node] => [own, one]) : nodes;
      list.splice(at, 1, ...wrapped);
    };
    return [{ name: own, node, replace }, ...placesIn(node, own)];
  });
}
