import { isObject, listOf, numberOf, objectOf } from '../../wire/json.ts';
import { namesIn, numbersIn, quotedIn } from './instructions.ts';

const MAX_DEPTH = 12;

/** Material for values, which is used up in order. */
interface Material {
  readonly words: string[];
  readonly numbers: number[];
  readonly text: string;
}

/**
 * A small value that satisfies a JSON Schema, made of numbers, quoted words and names from a text where they fit;
 * always the same for the same schema and text.
 */
export function sampleOf(schema: unknown, text = ''): unknown {
  const quoted = quotedIn(text);
  const words = quoted.length > 0 ? quoted : namesIn(text);
  return sample(schema, schema, 0, { words, numbers: numbersIn(text), text });
}

function sample(schema: unknown, root: unknown, depth: number, material: Material): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return schema === false || depth > MAX_DEPTH ? null : 'mock';
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return mentioned(schema.enum, material.text);
  const within = (child: unknown) => sample(child, root, depth + 1, material);
  if (typeof schema.$ref === 'string') return within(resolve(schema.$ref, root));
  const branches = listOf(schema.anyOf ?? schema.oneOf);
  if (branches.length > 0)
    return within(branches.find((branch) => objectOf(branch).type !== 'null') ?? branches[0]);
  const parts = listOf(schema.allOf).map((part) => {
    const { $ref } = objectOf(part);
    return objectOf(typeof $ref === 'string' ? resolve($ref, root) : part);
  });
  if (parts.length > 0) return within(together([...parts, { ...schema, allOf: undefined }]));
  const type = Array.isArray(schema.type)
    ? (schema.type.find((each) => each !== 'null') ?? 'null')
    : schema.type;
  if (type === 'object' || isObject(schema.properties)) {
    const properties = Object.entries(objectOf(schema.properties));
    return Object.fromEntries(properties.map(([name, child]) => [name, within(child)]));
  }
  if (type === 'array') {
    const tuple = listOf(schema.prefixItems);
    const count = Math.max(tuple.length, 1, Math.min(numberOf(schema.minItems) ?? 1, 20));
    const most = numberOf(schema.maxItems) ?? count;
    return Array.from({ length: Math.min(count, most) }, (_, index) =>
      within(tuple[index] ?? schema.items ?? {}),
    );
  }
  return scalar(type, schema, material);
}

/** Merges schemas that apply together: the result has all of their properties. */
function together(schemas: readonly Record<string, unknown>[]): Record<string, unknown> {
  const properties = Object.assign({}, ...schemas.map((each) => objectOf(each.properties)));
  const whole: Record<string, unknown> = Object.assign({}, ...schemas);
  return Object.keys(properties).length > 0 ? { ...whole, properties } : whole;
}

/** The first of the values that the text mentions, otherwise the first of all. */
function mentioned(values: readonly unknown[], text: string): unknown {
  const lower = text.toLowerCase();
  return (
    values.find(
      (value) => typeof value === 'string' && value !== '' && lower.includes(value.toLowerCase()),
    ) ?? values[0]
  );
}

function scalar(type: unknown, schema: Record<string, unknown>, material: Material): unknown {
  if (type === 'integer' || type === 'number') return numberFor(type, schema, material.numbers);
  if (type === 'boolean') return 'default' in schema ? schema.default : true;
  if (type === 'null') return null;
  const fits = (word: string) => fitsString(word, schema);
  const at = schema.format === undefined ? material.words.findIndex(fits) : -1;
  if (at >= 0) return material.words.splice(0, at + 1).at(-1);
  if (typeof schema.default === 'string') return schema.default;
  const candidates = [STRINGS[String(schema.format)], ...PLAIN].filter((each) => each !== undefined);
  return candidates.find(fits) ?? stretched(candidates[0]!, schema);
}

function numberFor(type: string, schema: Record<string, unknown>, numbers: number[]): number {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = schema;
  const step = numberOf(multipleOf);
  const fits = (value: number) =>
    (type !== 'integer' || Number.isInteger(value)) &&
    value >= (numberOf(minimum) ?? -Infinity) &&
    value <= (numberOf(maximum) ?? Infinity) &&
    value > (numberOf(above) ?? -Infinity) &&
    value < (numberOf(below) ?? Infinity) &&
    (step === undefined || Number.isInteger(value / step));
  const at = numbers.findIndex(fits);
  if (at >= 0) return numbers.splice(0, at + 1).at(-1)!;
  if (typeof schema.default === 'number') return schema.default;
  const low = numberOf(minimum) ?? numberOf(above) ?? 0;
  const unit = step ?? 1;
  const first = Math.ceil(low / unit) * unit;
  const high = numberOf(maximum) ?? numberOf(below) ?? first;
  return [first, first + unit, low, high, (low + high) / 2].find(fits) ?? first;
}

function fitsString(word: string, { minLength, maxLength, pattern }: Record<string, unknown>): boolean {
  if (word.length < (numberOf(minLength) ?? 0) || word.length > (numberOf(maxLength) ?? Infinity))
    return false;
  if (typeof pattern !== 'string' || !isQuick(pattern) || word.length > 40) return true;
  try {
    return new RegExp(pattern, 'u').test(word);
  } catch {
    // A pattern that is invalid here restricts nothing.
    return true;
  }
}

/** Whether a caller's pattern can be tried safely: repeated groups and many repetitions may backtrack exponentially. */
function isQuick(pattern: string): boolean {
  return (
    pattern.length <= 200 && !/\)[*+?{]|\\\d/.test(pattern) && (pattern.match(/[*+{]/g) ?? []).length <= 3
  );
}

function stretched(text: string, { minLength, maxLength }: Record<string, unknown>): string {
  return text.padEnd(numberOf(minLength) ?? 0, '.').slice(0, numberOf(maxLength) ?? text.length + 1_000);
}

const STRINGS: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  'date-time': '2026-01-01T00:00:00Z',
  time: '00:00:00Z',
  email: 'mock@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** Values that match common patterns. */
const PLAIN = [
  'mock',
  'Mock',
  'MOCK',
  'a',
  'A',
  'AB',
  'ABC',
  '0',
  '00',
  '000',
  '0000',
  '00000',
  '1.0.0',
  '#000000',
  'A-1',
  'ABC-123',
  '+10000000000',
  ...Object.values(STRINGS),
];

/** Resolves "#/$defs/Name" in the root schema. */
function resolve(pointer: string, root: unknown): unknown {
  let node = root;
  for (const part of pointer.replace(/^#\/?/, '').split('/')) {
    node = objectOf(node)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return node;
}
