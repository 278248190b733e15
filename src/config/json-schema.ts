import { z } from 'zod';
import { schema } from './schema.ts';

/** A node of a JSON Schema, as far as this project reads it. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** The schema of config.yaml as JSON Schema, for editors and for the generated reference. */
export function configJsonSchema(): SchemaNode {
  const node = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return { title: 'llmproxy configuration', ...node } as SchemaNode;
}

/** The keys that may stand at a path. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  let nodes: SchemaNode[] = [configJsonSchema()];
  for (const part of path) nodes = nodes.flatMap((node) => children(node, part));
  return [...new Set(nodes.flatMap(flat).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function flat(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(flat)];
}

function children(node: SchemaNode, part: PropertyKey): SchemaNode[] {
  return flat(node).flatMap((each) => {
    if (typeof part === 'number') return each.items ? [each.items] : [];
    const child = each.properties?.[String(part)];
    if (child) return [child];
    return typeof each.additionalProperties === 'object' ? [each.additionalProperties] : [];
  });
}
