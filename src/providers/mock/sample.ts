import { isObject, listOf, numberOf, objectOf } from '../../wire/json.ts';

const MAX_DEPTH = 12;

/** A small value that satisfies a JSON Schema, always the same for the same schema. */
export function sampleOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return schema === false || depth > MAX_DEPTH ? null : 'mock';
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (typeof schema.$ref === 'string') return sampleOf(resolve(schema.$ref, root), root, depth + 1);
  const branches = listOf(schema.anyOf ?? schema.oneOf);
  if (branches.length > 0) return sampleOf(branches[0], root, depth + 1);
  const parts = listOf(schema.allOf);
  if (parts.length > 0) return sampleOf({ ...Object.assign({}, ...parts.map(objectOf)) }, root, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object' || isObject(schema.properties)) {
    const properties = Object.entries(objectOf(schema.properties));
    return Object.fromEntries(properties.map(([name, child]) => [name, sampleOf(child, root, depth + 1)]));
  }
  if (type === 'array') {
    const count = Math.max(1, Math.min(numberOf(schema.minItems) ?? 1, 20));
    return Array.from({ length: count }, () => sampleOf(schema.items ?? {}, root, depth + 1));
  }
  return sampleScalar(type, schema);
}

function sampleScalar(type: unknown, schema: Record<string, unknown>): unknown {
  if (type === 'integer' || type === 'number') {
    const low = numberOf(schema.minimum) ?? (numberOf(schema.exclusiveMinimum) ?? 0) + 1;
    return Math.min(low, numberOf(schema.maximum) ?? low);
  }
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  const text = STRINGS[String(schema.format)] ?? 'mock';
  return text
    .padEnd(numberOf(schema.minLength) ?? 0, '.')
    .slice(0, numberOf(schema.maxLength) ?? text.length + 1_000);
}

const STRINGS: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  'date-time': '2026-01-01T00:00:00Z',
  time: '00:00:00Z',
  email: 'mock@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** "#/$defs/Name" within the root schema. */
function resolve(pointer: string, root: unknown): unknown {
  let node = root;
  for (const part of pointer.replace(/^#\/?/, '').split('/')) {
    node = objectOf(node)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return node;
}
