import { z } from 'zod';
import { schema } from './schema.ts';

/** A node of a JSON Schema, with the keywords used here. */
export interface SchemaNode {
  readonly title?: string;
  readonly type?: string | readonly string[];
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
  return { title: 'llmproxy configuration', ...jsonSchemaOf(schema) };
}

/** The JSON Schema of the input, as users write it. */
export function jsonSchemaOf(written: z.ZodType): SchemaNode {
  return z.toJSONSchema(written, { io: 'input', target: 'draft-7' }) as SchemaNode;
}

/** The keys that are allowed at a path. */
export type KnownKeys = (path: readonly PropertyKey[]) => string[];

export function knownKeysIn(root: SchemaNode): KnownKeys {
  return (path) => {
    let nodes = [root];
    for (const part of path) nodes = nodes.flatMap((node) => children(node, part));
    return [...new Set(nodes.flatMap(flat).flatMap((node) => Object.keys(node.properties ?? {})))];
  };
}

let known: KnownKeys | undefined;

/**
 * The keys that are allowed at a path of config.yaml. Making the JSON Schema takes milliseconds, and a file may have many
 * mistakes.
 */
export const knownKeys: KnownKeys = (path) => (known ??= knownKeysIn(configJsonSchema()))(path);

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
